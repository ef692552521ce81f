"""`sickbay inject`: pretend a kernel line on this host, marked synthetic from end to end."""

from collections.abc import Sequence
from pathlib import Path

import click

from sickbay.cli.options import agent_at, examples, output_option, socket_option
from sickbay.cli.output import EXIT_USAGE, emit, fail, painted
from sickbay.core.devices import Gpu, Inventory, normalise_pci
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.sim.faults import kernel_lines

_OFF_THE_BUS = 79


@click.command(
    epilog=examples(
        "sickbay inject --xid 79 --gpu 3",
        'sickbay inject "NVRM: Xid (PCI:0000:1b:00): 79, GPU has fallen off the bus."',
    )
)
@click.argument("lines", metavar="[LINE]...", nargs=-1)
@click.option(
    "--xid", type=click.IntRange(0, 99_999), help="Pretend this Xid instead, in the driver's own words."
)
@click.option("--gpu", help="On this GPU of the host: its slot, PCI address or UUID.")
@socket_option
@output_option
def inject(
    *, lines: tuple[str, ...], xid: int | None, gpu: str | None, socket: Path | None, form: str
) -> None:
    """Pretend that the kernel printed a line on this host, for a drill.

    The agent takes it only with `accept_injected: true`; what comes of it stays marked synthetic, and a
    coordinator acts on it only with `accept_synthetic: true`.
    """
    if bool(lines) is (xid is not None):
        raise click.UsageError("give kernel lines, or --xid with --gpu")
    if (xid is None) is not (gpu is None):
        raise click.UsageError("--xid and --gpu go together")
    with agent_at(socket) as client:
        if xid is not None and gpu is not None:
            lines = lines_of(xid, _found(client.health().inventory, gpu).pci)
        outcomes = [(line, client.inject(line)) for line in lines]
    emit([{"line": line, "outcome": outcome} for line, outcome in outcomes], form, lambda: _show(outcomes))
    if failed := [outcome.detail for _, outcome in outcomes if outcome.verdict is not Verdict.DONE]:
        fail(failed[0])


def lines_of(xid: int, pci: str) -> tuple[str, ...]:
    """What the driver prints for an Xid of the GPU at `pci`; two lines for one that fell off the bus."""
    if xid == _OFF_THE_BUS:
        return kernel_lines({"fault": "lost"}, pci)
    return kernel_lines({"fault": "xid", "code": xid, "message": ""}, pci)


def _found(inventory: Inventory, name: str) -> Gpu:
    pci = normalise_pci(name)
    named = [g for g in inventory.gpus if name in {str(g.slot), g.uuid} or (pci is not None and pci == g.pci)]
    if not named:
        present = ", ".join(f"{gpu.slot} ({gpu.pci})" for gpu in inventory.gpus) or "none"
        fail(f"no GPU {name!r} on this host; it has: {present}", code=EXIT_USAGE)
    return named[0]


def _show(outcomes: Sequence[tuple[str, Outcome]]) -> None:
    for line, outcome in outcomes:
        click.echo(f"{painted(outcome.verdict.value)}: {outcome.detail}\n  {line}")
