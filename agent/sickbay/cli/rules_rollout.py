"""`sickbay rules status`, `roll-out`, `hold`, `roll-back`, `confirm`: rules of a fleet, and their change."""

from collections.abc import Sequence

import click

from sickbay.cli.asking import confirmed, operator, yes_option
from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import EXIT_FAILED, emit, fail, table, when
from sickbay.core.ids import RuleId
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.rollout import Phase
from sickbay.core.rule_bundles import OWN
from sickbay.core.rules_views import RefusedByNode, RolloutChange, RulesView

_PROBLEMS_SHOWN = 5

_reason_option = click.option("--reason", default="", help="Why, in words for your colleagues.")


@click.command(epilog=examples("sickbay rules status", "sickbay rules status -o json"))
@coordinator_option
@output_option
def status(*, coordinator: Coordinator, form: str) -> None:
    """Which rules the fleet runs, how a roll-out stands, who refused what, and what awaits a person."""
    with coordinator_at(coordinator) as client:
        view = client.rules()
    emit(view, form, lambda: _tell(view))


@click.command("roll-out", epilog=examples("sickbay rules roll-out", "sickbay rules roll-out --yes"))
@_reason_option
@yes_option
@coordinator_option
def roll_out(*, reason: str, yes: bool, coordinator: Coordinator) -> None:
    """Hand the rules that the coordinator has read to the agents, stage by stage (rollout.stages).

    A roll-out that is held goes on: what failed so far is let pass, and the stage soaks anew.
    """
    with coordinator_at(coordinator) as client:
        view = client.rules()
        held = view.phase == Phase.HELD.value and view.target == view.candidate
        first = f"goes on after: {view.why}" if held else f"stage 1 of {view.stages}"
        click.echo(f"version {view.version} ({view.candidate[:12]}), {view.rules} rules: {first}", err=True)
        confirmed("Go on?" if held else "Roll out?", yes=yes)
        _ended(client.change_rollout(RolloutChange.BEGIN, operator=operator(), reason=reason))


@click.command(epilog=examples('sickbay rules hold --reason "false alarms on gpu-017"'))
@_reason_option
@coordinator_option
def hold(*, reason: str, coordinator: Coordinator) -> None:
    """Stop a roll-out where it stands: no node gets other rules until somebody says so."""
    with coordinator_at(coordinator) as client:
        _ended(client.change_rollout(RolloutChange.HOLD, operator=operator(), reason=reason))


@click.command("roll-back", epilog=examples("sickbay rules roll-back", "sickbay rules roll-back --yes"))
@_reason_option
@yes_option
@coordinator_option
def roll_back(*, reason: str, yes: bool, coordinator: Coordinator) -> None:
    """Give every node the rules that ran before, all at once, without stages."""
    with coordinator_at(coordinator) as client:
        confirmed("Give every node the former rules, at once?", yes=yes)
        _ended(client.change_rollout(RolloutChange.ROLL_BACK, operator=operator(), reason=reason))


@click.command(epilog=examples("sickbay rules confirm gpu-power-brake", "sickbay rules confirm --yes"))
@click.argument("names", metavar="[ID]...", nargs=-1)
@yes_option
@coordinator_option
def confirm(*, names: tuple[str, ...], yes: bool, coordinator: Coordinator) -> None:
    """Let built-in rules act that an upgrade brought or changed; without an ID all that wait.

    Until then they only observe, whatever they ask for, on every node. See them by `sickbay rules status`.
    """
    with coordinator_at(coordinator) as client:
        waiting = {each.rule: each for each in client.rules().awaiting}
        for name in names or sorted(waiting):
            if (each := waiting.get(RuleId(name))) is not None:
                kind = "changed" if each.changed else "new"
                click.echo(f"{name}: {kind}, would {each.mode}", err=True)
        confirmed("Let them act?", yes=yes)
        _ended(client.confirm_rules([RuleId(name) for name in names], operator=operator()))


def _ended(outcome: Outcome) -> None:
    if outcome.verdict is not Verdict.DONE:
        fail(outcome.detail, code=EXIT_FAILED)
    click.echo(outcome.detail)


def _tell(view: RulesView) -> None:
    click.echo(
        f"files of the coordinator: version {view.version} ({view.candidate[:12]}), {view.rules} rules"
    )
    if view.refused:
        click.echo(click.style("  refused as they are now; the last good ones stay in force:", fg="red"))
        _list(view.refused)
    click.echo(f"roll-out: {_rollout(view)}")
    click.echo()
    rows = [
        (
            str(each.version) if each.digest else "-",
            each.digest[:12] or "their own files",
            str(each.nodes),
            str(each.connected),
        )
        for each in view.running
    ]
    table(("VERSION", "SET", "NODES", "CONNECTED"), rows, empty="no nodes yet")
    if view.not_taking:
        click.echo(f"{view.not_taking} nodes keep to their own files (rules_from: local)")
    _tell_refusals(view.refusals)
    for rule in view.awaiting:
        kind = "changed" if rule.changed else "new"
        click.echo(f"{rule.rule}: {kind} built-in rule, only observes; would {rule.mode} once confirmed")


def _rollout(view: RulesView) -> str:
    why = f": {view.why}" if view.why else ""
    if not view.target:
        base = {"": "none yet; nodes keep what they have", OWN: "nodes run their own files"}
        return base.get(view.base, f"nodes are to run {view.base[:12]}") + why
    stage = f"stage {view.stage} of {view.stages} ({view.stage_is}), {view.chosen} nodes in"
    return f"{view.target[:12]} {view.phase}, {stage}, since {when(view.since)}{why}"


def _tell_refusals(refusals: Sequence[RefusedByNode]) -> None:
    for each in refusals:
        click.echo(f"{each.node} refused {each.digest[:12]}:")
        _list(each.problems)


def _list(problems: Sequence[str]) -> None:
    for problem in problems[:_PROBLEMS_SHOWN]:
        click.echo(f"  {problem}")
    if len(problems) > _PROBLEMS_SHOWN:
        click.echo(f"  and {len(problems) - _PROBLEMS_SHOWN} more")
