"""`sickbay status`: is this host fit for work? Imports little, because prompts and prologs wait for it."""

import sys
from pathlib import Path
from typing import Any

import click

from sickbay.cli.options import agent_at, examples, output_option, socket_option
from sickbay.cli.output import EXIT_UNREACHABLE, emit, painted, table, when
from sickbay.core.conditions import Condition, Status
from sickbay.core.devices import Gpu
from sickbay.core.host_views import Health, HostView
from sickbay.core.signals import FieldValue, Signal

_UNKNOWN = "?"


class _Misused(click.UsageError):
    exit_code = EXIT_UNREACHABLE


class _Status(click.Command):
    """A command whose wrong use exits as unknown: 2, click's own code for it, would say unhealthy."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        """The context; a usage error carries the exit code of *unknown*."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _Misused(error.format_message(), ctx=error.ctx) from error


@click.command(cls=_Status, epilog=examples("sickbay status", "sickbay status --check -o json"))
@click.option("--check", is_flag=True, help="Read the driver now, instead of showing the last sweep.")
@socket_option
@output_option
def status(*, check: bool, socket: Path | None, form: str) -> None:
    """Is this host fit for work?

    The exit code says it too: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown. A host whose agent does not
    answer is unknown.
    """
    with agent_at(socket) as client:
        view = client.check() if check else client.health()
    emit(view, form, lambda: _show(view))
    sys.exit(list(Health).index(view.health))


def _show(view: HostView) -> None:
    click.echo(f"{view.node}: {painted(view.health.value)}: {view.summary}")
    click.echo(f"as of {when(view.at)}, boot {view.boot_id}, NVML {view.inventory.nvml}, {_link(view)}")
    click.echo()
    gpu_table(view.inventory.gpus, view.conditions, view.readings)
    click.echo()
    condition_list(view.conditions)
    for monitor in view.monitors:
        if not monitor.healthy:
            since = f"last saw at {when(monitor.last_success)}" if monitor.last_success else "never saw"
            click.echo(f"\nmonitor {monitor.name} cannot see: {monitor.detail} ({since})")


def _link(view: HostView) -> str:
    if not view.coordinator:
        return "no coordinator configured"
    link = "connected to" if view.coordinator_connected else "NOT connected to"
    kept = f", {view.spooled_events} events wait here" if view.spooled_events else ""
    return f"{link} coordinator {view.coordinator}{kept}"


def gpu_table(gpus: tuple[Gpu, ...], conditions: tuple[Condition, ...], readings: tuple[Signal, ...]) -> None:
    """A row a GPU: what it is, what it reads, what is wrong with it."""
    known = {(signal.subject.gpu_key, signal.kind): signal for signal in readings}
    rows = [_gpu_row(gpu, conditions, known) for gpu in gpus]
    head = ("SLOT", "UUID", "PCI", "NAME", "TEMP", "ECC C/U", "LINKS", "WRONG")
    table(head, rows, empty="no GPUs: the driver shows none, or could not be asked")


def _gpu_row(
    gpu: Gpu,
    conditions: tuple[Condition, ...],
    known: dict[tuple[str, str], Signal],
) -> tuple[str, ...]:
    def read(kind: str, name: str) -> FieldValue:
        signal = known.get((gpu.pci, kind)) or known.get((gpu.uuid, kind))
        return None if signal is None else signal.fields.get(name)

    celsius = read("temperature", "gpu")
    return (
        str(gpu.slot),
        gpu.uuid,
        gpu.pci,
        gpu.name or _UNKNOWN,
        _UNKNOWN if celsius is None else f"{celsius}C",
        f"{_word(read('ecc', 'corrected'))}/{_word(read('ecc', 'uncorrected'))}",
        f"{_word(read('nvlink', 'active'))}/{_word(read('nvlink', 'links'))}",
        _wrong(gpu, conditions),
    )


def _word(value: FieldValue) -> str:
    return _UNKNOWN if value is None else str(value)


def _wrong(gpu: Gpu, conditions: tuple[Condition, ...]) -> str:
    mine = [c for c in conditions if c.subject.gpu_key in {gpu.pci, gpu.uuid}]
    present = [c.type for c in mine if c.is_open]
    doubtful = [f"{c.type}?" for c in mine if c.status is Status.UNKNOWN]
    return ", ".join((*present, *doubtful)) or "-"


def condition_list(conditions: tuple[Condition, ...]) -> None:
    """Each condition that holds or may hold, gravest first, with how it ends."""
    shown = [c for c in conditions if c.status is not Status.FALSE]
    if not shown:
        click.echo("no conditions: nothing is wrong that any rule knows")
    for c in sorted(shown, key=lambda c: (-c.severity.rank, c.since)):
        doubt = "" if c.is_open else " (may hold: unknown)"
        drill = " [synthetic]" if c.synthetic else ""
        since = f"since {when(c.since)}"
        click.echo(
            f"{painted(c.severity.value)} {c.type} {c.reason} on {c.subject.key}{doubt}{drill}, {since}"
        )
        click.echo(f"  {c.message}")
        if c.clears:
            click.echo(f"  clears: {c.clears}")
        if c.runbook:
            click.echo(f"  runbook: docs/runbooks/{c.runbook}.md")
