"""Standing orders as people type and read them."""

from collections.abc import Sequence

import click

from sickbay.cli.output import table, when
from sickbay.core.areas import parse_area
from sickbay.core.instants import format_duration
from sickbay.core.order_views import OrderView


class _Area(click.ParamType[str]):
    """A part of the fleet; a bare name is a node's."""

    name = "area"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As the coordinator knows it; a usage error that names the forms otherwise."""
        try:
            return parse_area(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


AREA = _Area()


def order_table(found: Sequence[OrderView]) -> None:
    """A row an order."""
    head = ("ID", "KIND", "AREA", "HOLDS", "UNTIL", "BY", "REASON")
    table(head, [_row(view) for view in found], empty="nothing holds actions back")


def _row(view: OrderView) -> tuple[str, ...]:
    order = view.order
    recurs = "" if order.recurs is None else f"{order.recurs} for {format_duration(order.recurs.length)}"
    return (
        order.id,
        order.kind.value,
        order.area,
        _holds(view),
        recurs or (when(view.until) if view.until is not None else "it is ended"),
        order.by,
        order.reason or "-",
    )


def _holds(view: OrderView) -> str:
    if view.order.ended_at is not None:
        return "ended"
    if view.in_force:
        return "now"
    return "at times" if view.order.recurs is not None else f"from {when(view.order.begins_at)}"
