"""What every store must do: keep a batch whole, keep an event once, give back exactly what it was given."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from tests.fakes.agent import GPUS
from tests.fakes.words import a_condition, a_remediation, a_signal, an_event, an_incident

from sickbay.coordinator.store import (
    NO_NODE,
    AttemptRecord,
    Batch,
    NodeRecord,
    Repair,
    Retention,
    Snooze,
    Store,
    StoreError,
)
from sickbay.core.approvals import Approval
from sickbay.core.devices import Inventory
from sickbay.core.gates import Decision, Finding
from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry, LedgerQuery
from sickbay.core.maintenance import Recurrence
from sickbay.core.messages import Event
from sickbay.core.milestones import Milestones
from sickbay.core.orders import Order, OrderKind
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import ActionKind, Attempt, Remediation, Step, StepRecord
from sickbay.core.remedies import Remedy, Rung, RungKind
from sickbay.orchestrators.records import CordonRecord
from sickbay.rpc.ports import EventQuery

Reopen = Callable[[], Awaitable[Store]]

N1, N2 = NodeName("n1"), NodeName("n2")


def a_node(name: NodeName = N1) -> NodeRecord:
    return NodeRecord(
        node=name,
        boot_id=BootId("boot-1"),
        version="0.1.0",
        first_seen=1.0,
        baseline=Inventory(gpus=GPUS, nvml="simulated"),
        recovery_action_known=True,
        boots=(BootId("boot-0"), BootId("boot-1")),
        snoozes=(Snooze(family="gpu", until=9.0),),
        quarantine=RemediationId("rem-1"),
        repairs=(Repair(remediation=RemediationId("rem-1"), at=3.0, families=("gpu-lost",), ended_at=4.0),),
        cordoned_at=2.5,
    )


def incident(
    ident: str, *, node: NodeName = N1, opened: float = 1.0, closed: float | None = None
) -> Incident:
    made = replace(an_incident(), id=IncidentId(ident), node=node, opened_at=opened)
    return made if closed is None else made.closed(at=closed, because="cleared")


def remediation(
    ident: str, *, node: NodeName = N1, opened: float = 1.0, step: Step = Step.DRAINING
) -> Remediation:
    return replace(a_remediation(), id=RemediationId(ident), node=node, opened_at=opened, step=step)


def event(sequence: int, *, node: NodeName = N1, at: float = 3.0, ident: str = "") -> Event:
    return replace(an_event(sequence, a_signal(raw=f"line {sequence}"), ident=ident), node=node, at=at)


async def test_everything_comes_back_as_it_was_given(reopen: Reopen):
    store = await reopen()
    whole = replace(
        an_incident(),
        decision=Decision(
            allowed=False, at=2.0, findings=(Finding(gate="mode", passed=False, why="observe"),)
        ),
        milestones=Milestones(t0=1.0, t2=1.5),
        remediation=RemediationId("rem-1"),
        snoozed=True,
    )
    rem = replace(
        a_remediation(),
        id=RemediationId("rem-1"),
        remedy=Remedy(id="reboot", ladder=(Rung(kind=RungKind.REBOOT), Rung(kind=RungKind.QUARANTINE))),
        attempt=Attempt(
            action_id=ActionId("rem-1/0/cordon"),
            kind=ActionKind.CORDON,
            started_at=2.0,
            last=Outcome.unknown("no answer"),
        ),
        history=(StepRecord(step=Step.PROPOSED, at=1.0, detail="für immer"),),
        resumed_at=5.0,
    )
    cordon = CordonRecord(node=N1, reason="sickbay:inc-1:rule", at=4.0)
    batch = Batch(nodes=(a_node(),), incidents=(whole,), remediations=(rem,), cordons=(cordon,))
    await store.commit(batch)
    found = await (await reopen()).load()
    assert found.nodes == (a_node(),)
    assert found.incidents == (whole,)
    assert found.remediations == (rem,)
    assert found.cordons == (cordon,)


async def test_events_of_both_kinds_come_back_as_they_were_given_and_oldest_first(store: Store):
    told = (
        replace(an_event(1, a_signal(raw="NVRM: Xid")), node=N1, at=1.0),
        replace(an_event(2, a_condition()), node=N1, at=2.0),
    )
    await store.commit(Batch(events=told))
    assert tuple(await store.events(EventQuery())) == told


async def test_an_event_is_kept_once_however_often_and_in_whatever_batch_it_is_told(store: Store):
    await store.commit(Batch(events=(event(1), event(2))))
    await store.commit(Batch(events=(event(2), event(3), event(3))))
    assert [e.sequence for e in await store.events(EventQuery())] == [1, 2, 3]


async def test_the_same_event_id_of_two_nodes_is_two_events(store: Store):
    await store.commit(Batch(events=(event(1, ident="e"), event(1, node=N2, ident="e"))))
    assert len(await store.events(EventQuery())) == 2


async def test_events_are_asked_for_by_node_time_and_number(store: Store):
    batch = [event(n, at=float(n)) for n in range(1, 6)] + [event(9, node=N2, at=9.0)]
    await store.commit(Batch(events=tuple(batch)))
    assert [e.sequence for e in await store.events(EventQuery(node=N1, limit=2))] == [4, 5]
    assert [e.sequence for e in await store.events(EventQuery(since=5.0))] == [5, 9]


async def test_a_later_value_takes_the_place_of_the_one_before(store: Store):
    await store.commit(Batch(incidents=(incident("inc-1"),), remediations=(remediation("rem-1"),)))
    closed = incident("inc-1", closed=5.0)
    done = remediation("rem-1", step=Step.DONE)
    await store.commit(Batch(incidents=(closed,), remediations=(done,)))
    found = await store.load()
    assert (found.incidents, found.remediations) == ((closed,), (done,))


async def test_a_start_finds_every_active_remediation_and_each_nodes_latest(store: Store):
    await store.commit(
        Batch(
            remediations=(
                remediation("rem-old", opened=1.0, step=Step.DONE),
                remediation("rem-new", opened=2.0, step=Step.QUARANTINED),
                remediation("rem-other", node=N2, opened=1.0),
                remediation("rem-other-ended", node=N2, opened=2.0, step=Step.CANCELLED),
            ),
        ),
    )
    found = {rem.id for rem in (await store.load()).remediations}
    assert found == {"rem-new", "rem-other", "rem-other-ended"}


async def test_incidents_come_open_first_and_then_the_latest_closed(store: Store):
    await store.commit(
        Batch(
            incidents=(
                incident("inc-a", opened=1.0),
                incident("inc-b", opened=2.0, closed=3.0),
                incident("inc-c", opened=1.5, closed=9.0),
                incident("inc-d", node=N2, opened=5.0),
            ),
        ),
    )

    async def ids(**asked: object) -> list[str]:
        query = {"node": NO_NODE, "include_closed": True, "limit": 10} | asked
        return [i.id for i in await store.incidents(**query)]  # type: ignore[arg-type]

    assert await ids() == ["inc-d", "inc-a", "inc-c", "inc-b"]
    assert await ids(include_closed=False) == ["inc-d", "inc-a"]
    assert await ids(node=N1) == ["inc-a", "inc-c", "inc-b"]
    assert await ids(limit=3) == ["inc-d", "inc-a", "inc-c"]


async def test_an_incident_is_found_by_the_beginning_of_its_id_taken_literally(store: Store):
    await store.commit(Batch(incidents=(incident("inc-abc"), incident("inc-abd"), incident("inc-x"))))
    assert [i.id for i in await store.incidents_by_prefix("inc-ab", 5)] == ["inc-abc", "inc-abd"]
    assert await store.incidents_by_prefix("inc-%", 5) == ()


async def test_a_remediation_is_found_by_its_id_also_after_it_has_ended(store: Store):
    done = remediation("rem-1", step=Step.DONE)
    await store.commit(Batch(remediations=(done,)))
    assert await store.remediation(done.id) == done
    assert await store.remediation(RemediationId("rem-2")) is None


async def test_the_journal_and_the_ledger_are_only_added_to(store: Store):
    attempt = AttemptRecord(
        action_id=ActionId("rem-1/0/cordon"),
        remediation=RemediationId("rem-1"),
        node=N1,
        kind=ActionKind.CORDON,
        at=1.0,
        tries=1,
    )
    heard = replace(attempt, outcome=Outcome.done("cordoned"))
    entry = LedgerEntry(at=1.0, who="operator alice", what="cordon", node=N1, why="a fan", incident="inc-1")
    other = replace(entry, node=N2, incident="inc-2")
    await store.commit(Batch(attempts=(attempt,), ledger=(entry, other)))
    await store.commit(Batch(attempts=(heard,), ledger=(entry,)))
    assert tuple(await store.attempts(RemediationId("rem-1"))) == (attempt, heard)
    assert [line.entry for line in await store.ledger(LedgerQuery())] == [entry, other, entry]
    of_one = await store.ledger(LedgerQuery(node=N2, incident="inc-2"))
    assert [line.entry for line in of_one] == [other]


async def test_cordons_are_set_and_removed(store: Store):
    await store.commit(Batch(cordons=(CordonRecord(node=N1, reason="a", at=1.0),)))
    await store.commit(Batch(cordons=(CordonRecord(node=N1, reason="b", at=2.0),)))
    assert [c.reason for c in (await store.load()).cordons] == ["b"]
    await store.commit(Batch(uncordoned=(N1, N2)))
    assert (await store.load()).cordons == ()


async def test_commits_are_applied_in_the_order_of_the_calls(reopen: Reopen):
    store = await reopen()
    commits = [store.commit(Batch(incidents=(incident("inc-1", opened=float(n)),))) for n in range(200)]
    await asyncio.gather(*commits)
    (kept,) = (await (await reopen()).load()).incidents
    assert kept.opened_at == 199.0


async def test_a_batch_that_is_refused_is_refused_whole_and_takes_no_other_with_it(store: Store):
    bad = Batch(
        incidents=(incident("inc-of-the-bad-batch"),),
        events=(replace(event(1), at=None),),  # type: ignore[arg-type]
    )
    good = Batch(incidents=(incident("inc-good"),))
    results = await asyncio.gather(
        store.commit(good),
        store.commit(bad),
        store.commit(Batch(incidents=(incident("inc-better"),))),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), StoreError, type(None)]
    assert {i.id for i in (await store.load()).incidents} == {"inc-good", "inc-better"}


async def test_old_events_and_those_beyond_the_number_are_forgotten_oldest_first(store: Store):
    await store.commit(Batch(events=tuple(event(n, at=float(n)) for n in range(1, 101))))
    assert await store.prune(Retention(event_age=90.0, max_events=1_000), 100.0) == 9
    assert await store.prune(Retention(event_age=90.0, max_events=20), 100.0) == 71
    kept = await store.events(EventQuery())
    assert [e.sequence for e in kept] == list(range(81, 101))
    assert await store.prune(Retention(event_age=90.0, max_events=20), 100.0) == 0


async def test_each_coordinator_has_a_later_term_than_the_one_before(reopen: Reopen):
    first = await (await reopen()).next_term()
    assert await (await reopen()).next_term() == first + 1


async def test_a_closed_store_says_so(reopen: Reopen):
    store = await reopen()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.commit(Batch(incidents=(incident("inc-1"),)))


def an_order(ident: str) -> Order:
    return Order(
        id=ident,
        kind=OrderKind.MAINTENANCE,
        area="rack:r1",
        by="ann",
        reason="new PDU",
        begins_at=1.0,
        ends_at=9.0,
        recurs=Recurrence(days=(5, 6), start=7_200.0, length=60.0),
    )


def a_word(ident: str, *, granted: bool = True) -> Approval:
    return Approval(incident=IncidentId(ident), granted=granted, by="ann", at=2.0, expires_at=3.0)


async def test_standing_orders_and_approvals_outlive_the_coordinator_as_they_were_last(
    store: Store, reopen: Reopen
):
    await store.commit(Batch(orders=(an_order("a"), an_order("b")), approvals=(a_word("inc-1"),)))
    ended = an_order("a").ended(5.0)
    await store.commit(Batch(orders=(ended,), approvals=(a_word("inc-1", granted=False),)))
    again = await (await reopen()).load()
    assert sorted(again.orders, key=lambda order: order.id) == [ended, an_order("b")]
    assert again.approvals == (a_word("inc-1", granted=False),)


async def test_orders_and_approvals_that_are_forgotten_are_gone(store: Store):
    await store.commit(Batch(orders=(an_order("a"), an_order("b")), approvals=(a_word("inc-1"),)))
    await store.commit(Batch(forgotten_orders=("a",), forgotten_approvals=(IncidentId("inc-1"),)))
    left = await store.load()
    assert (left.orders, left.approvals) == ((an_order("b"),), ())
