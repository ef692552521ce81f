"""`sickbay maintenance`: windows in which faults are recorded and nothing is done about them."""

from datetime import UTC, datetime

import click

from sickbay.cli.asking import operator
from sickbay.cli.options import Coordinator, Span, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.order_lines import AREA, order_table
from sickbay.cli.output import EXIT_USAGE, emit, fail
from sickbay.core.maintenance import Recurrence, parse_recurrence
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind


@click.group(epilog=examples('sickbay maintenance add rack:r12 --for 4h --reason "new PDU"'))
def maintenance() -> None:
    """Work by plan: in a window, faults are recorded and nothing is done about them.

    What was seen in a window is not acted on after it, unless it is seen again.
    """


@maintenance.command("list", epilog=examples("sickbay maintenance list", "sickbay maintenance list -o json"))
@coordinator_option
@output_option
def listed(*, coordinator: Coordinator, form: str) -> None:
    """All that holds actions back, now or later: windows, pauses, storms."""
    with coordinator_at(coordinator) as client:
        found = client.orders()
    emit(found, form, lambda: order_table(found))


@maintenance.command(
    epilog=examples(
        'sickbay maintenance add rack:r12 --for 4h --reason "new PDU"',
        'sickbay maintenance add pool:h100 --at "2026-12-01 02:00" --for 6h',
        'sickbay maintenance add fleet --every "sat 02:00" --for 2h',
    ),
)
@click.argument("area", type=AREA)
@click.option("--for", "span", type=Span(), required=True, help="How long, such as 4h.")
@click.option("--at", "begins", metavar="TIME", help="From then on, in UTC: YYYY-MM-DD HH:MM.")
@click.option("--every", metavar="WHEN", help="Again and again, in UTC: `sat 02:00`, `mon-fri 22:30`.")
@click.option("--reason", default="", help="Why, in words for your colleagues.")
@coordinator_option
@output_option
def add(
    *,
    area: str,
    span: float,
    begins: str | None,
    every: str | None,
    reason: str,
    coordinator: Coordinator,
    form: str,
) -> None:
    """Open a window over AREA: `fleet`, `pool:NAME`, `rack:NAME`, `nvlink:NAME`, `switch:NAME` or a node."""
    if begins and every:
        fail("--at is for once and --every for again and again; give one of them", code=EXIT_USAGE)
    recurs = None if every is None else _recurrence(every, span)
    wanted = NewOrder(
        kind=OrderKind.MAINTENANCE,
        area=area,
        reason=reason,
        begins_at=_moment(begins) if begins else None,
        length=span if recurs is None else None,
        recurs=recurs,
    )
    with coordinator_at(coordinator) as client:
        given = client.give_order(wanted, operator=operator())
    emit(given, form, lambda: order_table((given,)))


@maintenance.command(epilog=examples("sickbay maintenance end rack:r12"))
@click.argument("what", metavar="AREA|ID")
@click.option("--reason", default="", help="Why, in words for your colleagues.")
@coordinator_option
@output_option
def end(*, what: str, reason: str, coordinator: Coordinator, form: str) -> None:
    """Close a window: by its id, or every window over exactly that AREA."""
    with coordinator_at(coordinator) as client:
        windows = [view.order for view in client.orders() if view.order.kind is OrderKind.MAINTENANCE]
        area = what if what in {order.id for order in windows} else AREA.convert(what, None, None)
        ending = [order.id for order in windows if area in {order.id, order.area}]
        if not ending:
            fail(f"no maintenance window {what!r}; see: sickbay maintenance list")
        ended = tuple(
            view for ident in ending for view in client.end_orders(ident, operator=operator(), reason=reason)
        )
    emit(ended, form, lambda: order_table(ended))


def _recurrence(text: str, length: float) -> Recurrence:
    try:
        return parse_recurrence(text, length)
    except ValueError as error:
        fail(str(error), code=EXIT_USAGE)


def _moment(text: str) -> float:
    """Unix seconds of a time in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
    except ValueError:
        fail(f"--at: {text!r} is no time; expected YYYY-MM-DD HH:MM, in UTC", code=EXIT_USAGE)
