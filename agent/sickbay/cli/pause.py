"""`sickbay pause` and `sickbay resume`: no harmful action on a part of the fleet, for a while."""

import click

from sickbay.cli.asking import confirmed, operator, yes_option
from sickbay.cli.options import Coordinator, Span, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.order_lines import AREA, order_table
from sickbay.cli.output import emit
from sickbay.core.areas import FLEET
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind


@click.command(
    epilog=examples(
        'sickbay pause fleet --for 2h --reason "driver roll-out"',
        "sickbay pause pool:h100",
        "sickbay pause gpu-07 --for 3d",
    ),
)
@click.argument("area", type=AREA)
@click.option("--for", "span", type=Span(), help="Resume by itself after so long, such as 90m or 2d.")
@click.option("--reason", default="", help="Why, in words for your colleagues.")
@coordinator_option
@output_option
def pause(*, area: str, span: float | None, reason: str, coordinator: Coordinator, form: str) -> None:
    """Take hands off AREA: `fleet`, `pool:NAME`, `rack:NAME`, `nvlink:NAME`, `switch:NAME` or a node.

    Faults are still seen and recorded; nodes that have been proved well are still given back. Nothing else is
    cordoned, reset or rebooted. Afterwards only what is seen anew is acted on.
    """
    with coordinator_at(coordinator) as client:
        wanted = NewOrder(kind=OrderKind.PAUSE, area=area, reason=reason, length=span)
        given = client.give_order(wanted, operator=operator())
    emit(given, form, lambda: order_table((given,)))


@click.command(epilog=examples("sickbay resume fleet", "sickbay resume pause-1a2b3c"))
@click.argument("what", metavar="AREA|ID")
@click.option("--reason", default="", help="Why, in words for your colleagues.")
@yes_option
@coordinator_option
@output_option
def resume(*, what: str, reason: str, yes: bool, coordinator: Coordinator, form: str) -> None:
    """End a pause, a maintenance window or a storm: by its id, or all over exactly that AREA.

    What was reported while it held is not acted on before it is seen again, or approved.
    """
    with coordinator_at(coordinator) as client:
        held = client.orders()
        known = {view.order.id for view in held}
        wanted = what if what in known else AREA.convert(what, None, None)
        ending = [view for view in held if wanted in {view.order.id, view.order.area}]
        for view in ending:
            click.echo(f"{view.order.kind.value} over {view.order.area}: {view.order.reason}", err=True)
        if ending:
            confirmed("Let actions go on?" if wanted != FLEET else "Let actions go on, everywhere?", yes=yes)
        ended = client.end_orders(wanted, operator=operator(), reason=reason)
    emit(ended, form, lambda: order_table(ended))
