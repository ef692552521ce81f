"""`sickbay budget`: how many nodes are out at our word, and how many more may be."""

from collections.abc import Sequence

import click

from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import emit, table
from sickbay.core.instants import format_duration
from sickbay.core.order_views import BudgetView

_NODES_SHOWN = 4


@click.command(epilog=examples("sickbay budget", "sickbay budget -o json"))
@coordinator_option
@output_option
def budget(*, coordinator: Coordinator, form: str) -> None:
    """How many nodes of every pool and failure domain are out at our word, and how many more may be.

    Nodes that wait in quarantine are out. TAKEN counts nodes cordoned within the budget's window.
    """
    with coordinator_at(coordinator) as client:
        found = client.budgets()
    emit(found, form, lambda: _tell(found))


def _tell(found: Sequence[BudgetView]) -> None:
    head = ("GROUP", "NODES", "OUT", "TAKEN", "WITHIN", "ROOM", "OUT NOW")
    table(head, [_row(view) for view in found], empty="no nodes are known yet")


def _row(view: BudgetView) -> tuple[str, ...]:
    share = view.share
    shown = ", ".join(view.nodes[:_NODES_SHOWN]) + (", …" if len(view.nodes) > _NODES_SHOWN else "")
    return (
        share.group,
        str(share.size),
        f"{share.out}/{share.out_limit}",
        f"{share.lately}/{share.lately_limit}",
        format_duration(share.window),
        "yes" if share.has_room else click.style("no", fg="yellow"),
        shown or "-",
    )
