"""`sickbay incidents`: what is wrong in the fleet, and what is done about it."""

from collections.abc import Sequence

import click

from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import emit, painted, table, when
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident


@click.command(
    epilog=examples(
        "sickbay incidents",
        "sickbay incidents --all --node gpu-07 -o json",
    )
)
@click.option("--all", "everything", is_flag=True, help="Closed ones, too.")
@click.option("--node", default="", help="Of one node only.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many."
)
@coordinator_option
@output_option
def incidents(*, everything: bool, node: str, limit: int, coordinator: Coordinator, form: str) -> None:
    """What is wrong in the fleet, and what is done about it: open ones first.

    `sickbay explain` with an id from the first column tells the whole story.
    """
    with coordinator_at(coordinator) as client:
        found = client.incidents(node=NodeName(node), include_closed=everything, limit=limit)
    emit(found, form, lambda: incident_table(found))


def incident_table(found: Sequence[Incident]) -> None:
    """A row an incident."""
    head = ("INCIDENT", "NODE", "SEVERITY", "REASON", "PART", "OPENED", "STATE", "REMEDY", "MODE")
    table(head, [_row(incident) for incident in found], empty="no incidents")


def _row(incident: Incident) -> tuple[str, ...]:
    drill = " [synthetic]" if incident.synthetic else ""
    return (
        incident.id,
        incident.node,
        painted(incident.severity.value),
        f"{incident.reason}{drill}",
        incident.subject.key,
        when(incident.opened_at),
        state_of(incident),
        incident.remedy or "none",
        incident.mode.value,
    )


def state_of(incident: Incident) -> str:
    """Whether it is open, and if so what keeps it from being worked on, in a word or two."""
    if not incident.is_open:
        return f"closed: {incident.closed_because}"
    if incident.snoozed:
        return "open, left to a person"
    held = incident.decision.held_by if incident.decision is not None else ()
    return f"open, held by {', '.join(held)}" if held else "open"
