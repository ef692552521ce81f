"""`sickbay approve` and `sickbay deny`: a person's word on what would be done about an incident."""

import click

from sickbay.cli.asking import confirmed, operator, yes_option
from sickbay.cli.options import Coordinator, coordinator_at, coordinator_option, examples, output_option
from sickbay.cli.output import EXIT_FAILED, emit, fail
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident
from sickbay.core.outcomes import Verdict

_reason_option = click.option("--reason", default="", help="Why, in words for your colleagues.")


@click.command(epilog=examples("sickbay approve inc-3f2a", 'sickbay approve inc-3f2a --yes --reason "seen"'))
@click.argument("incident")
@_reason_option
@yes_option
@coordinator_option
@output_option
def approve(*, incident: str, reason: str, yes: bool, coordinator: Coordinator, form: str) -> None:
    """Let what is proposed about an incident be done, in your name.

    All other gates still count: nothing happens while, say, the budget is used up. Your word counts for a
    while (the coordinator's approvals.life), and stands in the ledger. An incident that is only backlog of a
    pause or a storm is fresh again by it.
    """
    with coordinator_at(coordinator) as client:
        found = client.incident(IncidentId(incident)).incident
        _told(found, f"remedy {found.remedy or 'none'}: {_held(found)}")
        confirmed("Approve?", yes=yes)
        outcome = client.approve(found.id, granted=True, operator=operator(), reason=reason)
    _ended(found, "approved", outcome.verdict, outcome.detail, form)


@click.command(epilog=examples('sickbay deny inc-3f2a --reason "known, RMA 4711"'))
@click.argument("incident")
@_reason_option
@yes_option
@coordinator_option
@output_option
def deny(*, incident: str, reason: str, yes: bool, coordinator: Coordinator, form: str) -> None:
    """Forbid what is proposed about an incident, in your name.

    Nothing is begun for it. If its node is out already, it stays out and waits for a person: give it back by
    `sickbay return`. Changed your mind? `sickbay approve` overrules it.
    """
    with coordinator_at(coordinator) as client:
        found = client.incident(IncidentId(incident)).incident
        _told(found, "nothing is begun for it; a node that is out already waits for a person")
        confirmed("Deny?", yes=yes)
        outcome = client.approve(found.id, granted=False, operator=operator(), reason=reason)
    _ended(found, "denied", outcome.verdict, outcome.detail, form)


def _told(found: Incident, effect: str) -> None:
    """What the word is about, on standard error, so that programs may still read the answer."""
    click.echo(f"{found.id}: {found.reason} on {found.node} {found.subject.key}: {found.message}", err=True)
    click.echo(f"  effect: {effect}", err=True)


def _held(found: Incident) -> str:
    return found.decision.why_held or "no gate holds it" if found.decision is not None else "not decided yet"


def _ended(found: Incident, what: str, verdict: Verdict, detail: str, form: str) -> None:
    if verdict is not Verdict.DONE:
        fail(detail, code=EXIT_FAILED)
    value = {"incident": found.id, "node": found.node, "said": what, "detail": detail}
    emit(value, form, lambda: click.echo(f"{found.id}: {what}: {detail}"))
