"""`sickbay events`: what happened, on this host or on the fleet."""

from collections.abc import Sequence
from pathlib import Path

import click

from sickbay.cli.options import (
    Coordinator,
    Span,
    agent_at,
    coordinator_at,
    coordinator_option,
    examples,
    output_option,
    socket_option,
)
from sickbay.cli.output import emit, painted, table, when
from sickbay.core.conditions import Condition, Status
from sickbay.core.ids import NodeName
from sickbay.core.messages import Event
from sickbay.host.clock import SystemClock
from sickbay.rpc.questions import EventQuery


@click.command(
    epilog=examples(
        "sickbay events --since 1h",
        "sickbay events --node gpu-07 -o json",
    )
)
@click.option("--node", help="Of one node, asked of the coordinator.")
@click.option("--fleet", is_flag=True, help="Of every node, asked of the coordinator.")
@click.option("--since", type=Span(), help="Not older than this, such as 90s, 1h or 7d.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The latest so many."
)
@socket_option
@coordinator_option
@output_option
def events(
    *,
    node: str | None,
    fleet: bool,
    since: float | None,
    limit: int,
    socket: Path | None,
    coordinator: Coordinator,
    form: str,
) -> None:
    """What happened, oldest first: of this host, or with --node or --fleet of others."""
    if node and fleet:
        raise click.UsageError("--node and --fleet exclude each other")
    begin = 0.0 if since is None else SystemClock().now().wall - since
    query = EventQuery(node=NodeName(node or ""), since=begin, limit=limit)
    if node or fleet:
        with coordinator_at(coordinator) as fleet_client:
            found = fleet_client.events(query)
    else:
        with agent_at(socket) as client:
            found = client.events(query)
    emit(found, form, lambda: event_table(found, with_node=fleet))


def event_table(found: Sequence[Event], *, with_node: bool = False) -> None:
    """A row an event; the node as a column where there are several."""
    head = ("AT", "NODE", "ID", "WHAT", "PART", "SAID") if with_node else ("AT", "ID", "WHAT", "PART", "SAID")
    rows = [
        (when(e.at), *((e.node,) if with_node else ()), e.id, kind_of(e), e.what.subject.key, said_by(e))
        for e in found
    ]
    table(head, rows, empty="nothing happened, as far as is known")


def kind_of(event: Event) -> str:
    """The condition and whether it opened, or the signal's kind."""
    what = event.what
    drill = " [synthetic]" if what.synthetic else ""
    if not isinstance(what, Condition):
        return f"{what.kind}{drill}"
    state = {
        Status.TRUE: painted(what.severity.value),
        Status.FALSE: "cleared",
        Status.UNKNOWN: painted("unknown"),
    }
    return f"{what.type} {state[what.status]}{drill}"


def said_by(event: Event) -> str:
    """The event in one line: the source's own words where there are any."""
    what = event.what
    if isinstance(what, Condition):
        return what.message
    counted = f" ({what.count} times)" if what.count > 1 else ""
    known = " ".join(f"{name}={value}" for name, value in what.fields.items() if value is not None)
    return " ".join((what.raw or known).split()) + counted
