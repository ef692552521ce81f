"""Checks of a site's own: what a program that ends as monitoring plugins do has found.

Exit codes 0 ok, 1 warning, 2 critical, 3 unknown, and one line of text with figures after a `|` (Monitoring
Plugins Development Guidelines, "Plugin Output" and "Plugin Return Codes",
https://www.monitoring-plugins.org/doc/guidelines.html). The figures are for graphs, and are not read here.
"""

from dataclasses import dataclass

from sickbay.core.instants import Instant
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.commands import CommandFailure, CommandResult
from sickbay.monitors.parts import part

OUTPUT_LIMIT = 16 * 1024
"""Bytes kept of what a plugin prints; the rest is read and dropped."""

_LONGEST_MESSAGE = 500
_TELLS = (0, 1, 2)
_UNKNOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFinding:
    """What a run of a plugin came to. `trouble` says why it could not tell; empty when it could."""

    signal: Signal
    trouble: str


def finding(name: str, outcome: CommandResult | CommandFailure, at: Instant) -> PluginFinding:
    """The reading of one run. A plugin that did not run to an end of its own has found nothing."""
    if not isinstance(outcome, CommandResult):
        return _found(name, None, "", str(outcome), at)
    message = _first_line(outcome)
    if outcome.exit_code in _TELLS:
        return _found(name, outcome.exit_code, message, "", at)
    how = f"ended by signal {-outcome.exit_code}" if outcome.exit_code < 0 else f"exit {outcome.exit_code}"
    own = "it says that it does not know" if outcome.exit_code == _UNKNOWN else how
    return _found(name, None, message, f"{own}: {message}" if message else own, at)


def dropped(name: str, at: Instant) -> Signal:
    """A plugin that is configured no more: what it found last is nobody's finding now."""
    fields: dict[str, FieldValue] = {"name": name, "configured": False, "code": None, "message": ""}
    return Signal(kind="plugin", subject=part("plugin", name), at=at, fields=fields, sources=("plugin",))


def _found(name: str, code: int | None, message: str, trouble: str, at: Instant) -> PluginFinding:
    signal = Signal(
        kind="plugin",
        subject=part("plugin", name),
        at=at,
        fields={"name": name, "configured": True, "code": code, "message": message},
        sources=("plugin",),
        raw=f"{name}: {message}" if message else name,
    )
    return PluginFinding(signal=signal, trouble=trouble)


def _first_line(result: CommandResult) -> str:
    """Its first line of output, or of complaint where it has printed none."""
    text = result.stdout.strip() or result.stderr.strip()
    return text.partition("\n")[0].partition("|")[0].strip()[:_LONGEST_MESSAGE]
