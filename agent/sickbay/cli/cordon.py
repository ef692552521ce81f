"""`sickbay cordon` and `sickbay return`: a node out of service, and back, in a person's name."""

import sys

import click

from sickbay.cli.asking import confirmed, operator, yes_option
from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE, emit, fail, painted
from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.views import NodeSummary

_EXIT = {
    Verdict.DONE: 0,
    Verdict.RETRY: EXIT_FAILED,
    Verdict.FAILED: EXIT_FAILED,
    Verdict.UNKNOWN: EXIT_UNREACHABLE,
}


@click.command(
    epilog=examples(
        'sickbay cordon gpu-07 --reason "fan is loud"',
        'sickbay cordon gpu-07 --reason "fan is loud" --yes',
    ),
)
@click.argument("node")
@click.option("--reason", default="", help="Why, in words for your colleagues; asked for when not given.")
@yes_option
@coordinator_option
@output_option
def cordon(*, node: str, reason: str, yes: bool, coordinator: Coordinator, form: str) -> None:
    """Take a node out of service, in your name: no new job starts, running jobs go on.

    A remediation that runs on the node is cancelled, and Sickbay leaves the node alone until you give it
    back by `sickbay return`.
    """
    reason = reason.strip() or _asked_reason()
    with coordinator_at(coordinator) as client:
        _told_what(client.node(NodeName(node)).summary, "no new job will start on it; running jobs go on")
        confirmed(f"Cordon {node}?", yes=yes)
        outcome = client.cordon(NodeName(node), reason=reason, operator=operator())
    _ended(node, outcome, form)


@click.command(name="return", epilog=examples("sickbay return gpu-07", "sickbay return gpu-07 --yes"))
@click.argument("node")
@yes_option
@coordinator_option
@output_option
def give_back(*, node: str, yes: bool, coordinator: Coordinator, form: str) -> None:
    """Give a node back to the scheduler at your word, also out of quarantine.

    Nothing is validated first: you answer for the node. Faults of the same kind stay with you for a while
    (the coordinator's patience.snooze). A node that somebody holds in the scheduler itself is left alone.
    """
    with coordinator_at(coordinator) as client:
        _told_what(client.node(NodeName(node)).summary, "new jobs may start on it at once, unvalidated")
        confirmed(f"Return {node} to service?", yes=yes)
        outcome = client.give_back(NodeName(node), operator=operator())
    _ended(node, outcome, form)


def _told_what(n: NodeSummary, effect: str) -> None:
    """What will be touched, on standard error, so that programs may still read the answer."""
    reason = f" ({n.scheduler_reason})" if n.scheduler_reason else ""
    scheduler = f"scheduler: {n.scheduler_state or 'state unknown'}{reason}"
    click.echo(f"{n.node}: {n.gpus} GPUs, {n.open_conditions} conditions open, {scheduler}", err=True)
    click.echo(f"  held by: {painted(n.ownership.value)}", err=True)
    click.echo(f"  effect: {effect}", err=True)
    if n.remediation is not None and n.remediation.is_active:
        rem = n.remediation
        click.echo(f"  ends: remediation {rem.id} ({rem.remedy.id}, {rem.step.value})", err=True)


def _asked_reason() -> str:
    if not sys.stdin.isatty():
        fail('say why with --reason "..."; nobody is here to be asked', code=EXIT_USAGE)
    return str(click.prompt("Reason", err=True))


def _ended(node: str, outcome: Outcome, form: str) -> None:
    said = f"{node}: {painted(outcome.verdict.value)}: {outcome.detail}"
    if form != "table" or outcome.verdict is Verdict.DONE:
        value = {"node": node, "verdict": outcome.verdict, "detail": outcome.detail}
        emit(value, form, lambda: click.echo(said))
    if code := _EXIT[outcome.verdict]:
        fail(said, code=code)
