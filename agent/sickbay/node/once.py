"""`sickbay-agent --once`: the whole agent for one look, with nothing kept and nobody told.

It is the same assembly over the same edges; only its memory is a folder that goes away. So what it shows is
what the daemon would have seen.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from sickbay.core.host_views import Health, HostView
from sickbay.core.instants import format_duration
from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import CallLatency
from sickbay.host.spool_records import encoded
from sickbay.node.assembly import Agent, assemble
from sickbay.node.config import AgentConfig
from sickbay.node.ports import Ports
from sickbay.node.recording import NothingToRecordError, Recording
from sickbay.node.rule_intake import Beginning

_SWEEPS_WITHIN = 120.0
_ROUNDS = 2
"""The second sweep begins with what the first has learnt: the driver is up, and one that hung is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look showed. `calls`: driver calls by name, in seconds."""

    view: HostView
    calls: dict[str, CallLatency]


async def look_once(
    config: AgentConfig,
    rules: Beginning,
    ports: Ports,
    *,
    version: str,
    form: str,
    profile: Path | None = None,
) -> int:
    """Look, print as `table` or `json`, and return the exit status of `sickbay status`.

    With `profile`, what the driver answered is written there. OSError when it cannot be.
    """
    recording = Recording(ports)
    with tempfile.TemporaryDirectory(prefix="sickbay-once-") as folder:
        here = msgspec.structs.replace(config, state_dir=folder, runtime_dir=folder, coordinators=())
        agent = assemble(here, rules, recording.over(), version)
        try:
            look = await _look(agent)
        finally:
            await agent.end()
    click.echo(_as_json(look) if form == "json" else _as_table(look))
    if profile is not None:
        try:
            recording.write(profile)
        except NothingToRecordError as error:
            click.echo(f"{profile}: {error}", err=True)
    return list(Health).index(look.view.health)


async def _look(agent: Agent) -> Look:
    agent.begin()
    agent.kernel.read_once()
    await agent.host.look_once()
    await agent.plugins.look_once()
    for _ in range(_ROUNDS):
        if await agent.gpus.sweep_once():
            break
    view = agent.status.view(agent.ports.clock.now().wall)
    return Look(view=view, calls=dict(agent.judge.counters.calls))


def _as_json(look: Look) -> str:
    view = msgspec.json.decode(encoded(look.view))
    for name in ("coordinator", "coordinator_connected", "spooled_events"):
        del view[name]  # There is no coordinator, and nothing is kept, in one look.
    view["nvml_calls"] = {
        name: {"count": call.count, "mean_s": call.mean, "longest_s": call.longest}
        for name, call in sorted(look.calls.items())
    }
    return msgspec.json.format(msgspec.json.encode(view), indent=2).decode()


def _as_table(look: Look) -> str:
    view = look.view
    source = f"{view.inventory.nvml}, driver {view.inventory.driver_version or 'unknown'}"
    parts = [
        f"{view.node}: {view.health.value} ({view.summary})",
        f"boot {view.boot_id}; NVML: {source}; rules {view.rules_digest[:12]}",
        _table("GPUs", ("slot", "pci", "name", "serial", "uuid"), _gpu_rows(view)),
        _table("Readings", ("part", "kind", "values"), [_reading_row(s) for s in view.readings]),
        _table("Conditions", ("severity", "type", "part", "since", "message"), _condition_rows(view)),
        _table(
            "Monitors",
            ("monitor", "sees", "detail"),
            [(m.name, "yes" if m.healthy else "no", m.detail) for m in view.monitors],
        ),
        _table("Driver calls", ("call", "count", "mean", "longest"), _call_rows(look)),
    ]
    return "\n".join(parts)


def _gpu_rows(view: HostView) -> list[tuple[str, ...]]:
    return [(str(gpu.slot), gpu.pci, gpu.name, gpu.serial, gpu.uuid) for gpu in view.inventory.gpus]


def _reading_row(signal: Signal) -> tuple[str, ...]:
    known = " ".join(f"{name}={'unknown' if v is None else v}" for name, v in signal.fields.items())
    return signal.subject.key, signal.kind, known


def _condition_rows(view: HostView) -> list[tuple[str, ...]]:
    return [
        (
            c.severity.value,
            c.type,
            c.subject.key,
            f"{format_duration(max(view.at - c.since, 0.0))} ago",
            c.message,
        )
        for c in view.conditions
    ]


def _call_rows(look: Look) -> list[tuple[str, ...]]:
    return [
        (name, str(call.count), f"{call.mean * 1e6:.0f} us", f"{call.longest * 1e6:.0f} us")
        for name, call in sorted(look.calls.items())
    ]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return f"\n{title}: none"
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    heading = "  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True))
    return "\n".join((f"\n{title}", heading.rstrip(), *(line.rstrip() for line in lines)))
