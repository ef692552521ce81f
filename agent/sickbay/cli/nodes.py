"""`sickbay nodes` and `sickbay node`: the fleet as its coordinator sees it."""

import math

import click

from sickbay.cli.host_report import gpu_rows, wrongs
from sickbay.cli.host_text import gpu_lines, wrong_lines
from sickbay.cli.incidents import incident_table
from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import emit, painted, table, when
from sickbay.core.ids import NodeName
from sickbay.core.views import FleetView, NodeDetail, NodeSummary


@click.command(epilog=examples("sickbay nodes", "sickbay nodes --coordinator 127.0.0.1:7118 -o json"))
@coordinator_option
@output_option
def nodes(*, coordinator: Coordinator, form: str) -> None:
    """The fleet, a row a node: its agent, who holds it, what is done about it."""
    with coordinator_at(coordinator) as client:
        found = client.nodes()
        fleet = client.fleet() if form == "table" else None
    emit(found, form, lambda: _show_all(found, fleet))


@click.command(epilog=examples("sickbay node gpu-07"))
@click.argument("name")
@coordinator_option
@output_option
def node(*, name: str, coordinator: Coordinator, form: str) -> None:
    """One node: who holds it, its GPUs, conditions and incidents."""
    with coordinator_at(coordinator) as client:
        found = client.node(NodeName(name))
    emit(found, form, lambda: _show_one(found))


def _show_all(found: tuple[NodeSummary, ...], fleet: FleetView | None) -> None:
    head = ("NODE", "AGENT", "GPUS", "WORST", "OPEN", "HELD BY", "SCHEDULABLE", "SCHEDULER", "REMEDIATION")
    table(head, [_row(n) for n in found], empty="no node: no agent has ever connected to this coordinator")
    if fleet is not None:
        open_now = f"{fleet.open_incidents} incidents open, {fleet.active_remediations} remediations"
        how = f"mode {fleet.mode.value}, scheduler {fleet.orchestrator}"
        click.echo(f"\n{fleet.connected} of {fleet.nodes} nodes connected, {open_now}; {how}")


def _row(n: NodeSummary) -> tuple[str, ...]:
    return (
        n.node,
        "connected" if n.connected else f"silent since {when(n.last_seen)}",
        str(n.gpus),
        painted(n.worst.value) if n.worst else "-",
        str(n.open_conditions),
        painted(n.ownership.value),
        _schedulable(n),
        n.scheduler_state or "-",
        _step_of(n),
    )


def _schedulable(n: NodeSummary) -> str:
    """`unknown` where the scheduler could not say."""
    if n.schedulable is None:
        return "unknown"
    return "yes" if n.schedulable else "no"


def _step_of(n: NodeSummary) -> str:
    rem = n.remediation
    return f"{rem.remedy.id}: {painted(rem.step.value)}" if rem else "-"


def _show_one(found: NodeDetail) -> None:
    n = found.summary
    agent = "agent connected" if n.connected else f"agent silent since {when(n.last_seen)}"
    click.echo(f"{n.node}: {agent}, version {n.version or 'unknown'}, boot {n.boot_id}, NVML {n.nvml}")
    reason = f" ({n.scheduler_reason})" if n.scheduler_reason else ""
    held = f"schedulable {_schedulable(n)}, held by {painted(n.ownership.value)}"
    click.echo(f"scheduler: {n.scheduler_state or 'unknown'}{reason}, {held}")
    click.echo(f"remediation: {_step_of(n)}\n")
    rows = gpu_rows(found.inventory, found.conditions, found.readings, at=None if n.connected else math.inf)
    wrong = wrong_lines(wrongs(found.conditions, rows), at=n.last_seen)
    for line in (*gpu_lines(rows, found.inventory.driver_version), "", *wrong, ""):
        click.echo(line)
    incident_table(found.incidents)
