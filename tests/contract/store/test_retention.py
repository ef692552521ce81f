"""What every store forgets, what it never forgets, and what it does not let anybody rewrite."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.fakes.words import a_remediation, a_signal, an_event, an_incident

from sickbay.coordinator.sql_store import SqlStore
from sickbay.coordinator.store import AttemptRecord, Batch, NodeRecord, Retention, Store
from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry, LedgerQuery
from sickbay.core.messages import Event
from sickbay.core.remediation import ActionKind, Remediation, Step
from sickbay.rpc.ports import EventQuery

Reopen = Callable[[], Awaitable[Store]]

N1, N2 = NodeName("n1"), NodeName("n2")
DAY = 86_400.0


def kept(**changes: object) -> Retention:
    return replace(Retention(event_age=1e9, max_events=10**6), **changes)


def line(n: int, **changes: object) -> LedgerEntry:
    return replace(
        LedgerEntry(at=float(n), who="coordinator", what="gates held", node=N1, why=f"line {n}"), **changes
    )


def incident(ident: str, *, opened: float = 1.0, closed: float | None = None, **changes: object) -> Incident:
    made = replace(an_incident(), id=IncidentId(ident), node=N1, opened_at=opened, **changes)
    return made if closed is None else made.closed(at=closed, because="cleared")


def remediation(ident: str, step: Step, *, opened: float = 1.0, **changes: object) -> Remediation:
    return replace(a_remediation(), id=RemediationId(ident), node=N1, step=step, opened_at=opened, **changes)


def attempt(rem: str) -> AttemptRecord:
    return AttemptRecord(
        action_id=ActionId(f"{rem}/0/cordon"),
        remediation=RemediationId(rem),
        node=N1,
        kind=ActionKind.CORDON,
        at=1.0,
        tries=1,
    )


def event(n: int, at: float) -> Event:
    return replace(an_event(n, a_signal()), node=N1, at=at)


async def whys(store: Store, query: LedgerQuery | None = None) -> list[str]:
    return [found.entry.why for found in await store.ledger(query or LedgerQuery(limit=1_000))]


async def ids(store: Store) -> set[str]:
    found = await store.incidents(node=N1, include_closed=True, limit=100)
    return {each.id for each in found}


# ---- the ledger is asked ---------------------------------------------------------------------------------


async def test_the_ledger_is_searched_by_who_what_when_and_of_what(store: Store):
    lines = (
        line(1, who="operator ann", what="cordon"),
        line(2, who="operator ann", what="return", node=N2),
        line(3, incident="inc-1"),
        line(4, who="ann", what="cordon begun"),
    )
    await store.commit(Batch(ledger=lines))

    async def found(**asked: object) -> list[str]:
        return await whys(store, LedgerQuery(**asked))

    assert await found(who="ann") == ["line 1", "line 2", "line 4"]
    assert await found(who="operator ann") == ["line 1", "line 2"]
    assert await found(what="cordon") == ["line 1", "line 4"]
    assert await found(what="cordon%") == []
    assert await found(node=N2) == ["line 2"]
    assert await found(incident="inc-1") == ["line 3"]
    assert await found(since=2.0, until=4.0) == ["line 2", "line 3"]


async def test_the_ledger_is_read_page_by_page_backwards_and_followed_forwards(store: Store):
    await store.commit(Batch(ledger=tuple(line(n) for n in range(1, 8))))
    last = await store.ledger(LedgerQuery(limit=3))
    assert [found.entry.why for found in last] == ["line 5", "line 6", "line 7"]
    assert await whys(store, LedgerQuery(limit=3, before=last[0].row)) == ["line 2", "line 3", "line 4"]
    await store.commit(Batch(ledger=(line(8), line(9))))
    assert await whys(store, LedgerQuery(limit=1, after=last[-1].row)) == ["line 8"]
    assert await whys(store, LedgerQuery(after=last[-1].row)) == ["line 8", "line 9"]


async def test_a_line_says_by_which_rules_it_was_written(store: Store):
    told = line(1, rule="gpu-lost", rules="d1", rules_version=7)
    await store.commit(Batch(ledger=(told,)))
    assert [found.entry for found in await store.ledger(LedgerQuery())] == [told]


# ---- the ledger is only added to -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET why_not = 1",
        "UPDATE ledger SET who = 'nobody'",
        "DELETE FROM ledger",
        "DELETE FROM ledger WHERE at < 2",
    ],
)
async def test_the_database_itself_refuses_to_rewrite_the_ledger(store: Store, statement: str):
    await store.commit(Batch(ledger=(line(1), line(2))))
    assert isinstance(store, SqlStore)
    with pytest.raises(DBAPIError), store._engine.begin() as connection:
        connection.execute(text(statement))
    assert await whys(store) == ["line 1", "line 2"]


async def test_a_line_cannot_be_put_in_the_place_of_another_either(store: Store):
    await store.commit(Batch(ledger=(line(1),)))
    assert isinstance(store, SqlStore)
    forged = "INSERT INTO ledger (\"row\", at, node, incident, body) VALUES (1, 1, 'n1', '', '')"
    if store._engine.dialect.name == "sqlite":
        forged = forged.replace("INSERT", "INSERT OR REPLACE")
    with pytest.raises(DBAPIError), store._engine.begin() as connection:
        connection.execute(text(forged))
    assert await whys(store) == ["line 1"]


async def test_after_retention_has_let_lines_go_nobody_else_can(store: Store):
    await store.commit(Batch(ledger=tuple(line(n) for n in range(1, 10))))
    assert await store.prune(kept(max_ledger=5), 10.0) == 4
    assert isinstance(store, SqlStore)
    with pytest.raises(DBAPIError), store._engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger WHERE at < 6"))


# ---- what goes, and what stays ---------------------------------------------------------------------------


async def test_old_lines_and_those_beyond_the_number_go_but_never_those_of_an_open_incident(store: Store):
    open_one, closed_one = incident("inc-open"), incident("inc-closed", closed=5.0)
    lines = (line(1, incident="inc-open"), line(2, incident="inc-closed"), *(line(n) for n in range(3, 11)))
    await store.commit(Batch(incidents=(open_one, closed_one), ledger=lines))
    await store.prune(kept(ledger_age=4.0), 10.0)
    assert await whys(store) == ["line 1", *(f"line {n}" for n in range(6, 11))]
    await store.prune(kept(max_ledger=2), 10.0)
    assert await whys(store) == ["line 1", "line 9", "line 10"]


async def test_the_last_line_stays_so_that_no_row_is_numbered_twice(store: Store):
    await store.commit(Batch(ledger=(line(1), line(2))))
    await store.prune(kept(ledger_age=1.0), 100.0)
    (left,) = await store.ledger(LedgerQuery())
    await store.commit(Batch(ledger=(line(3),)))
    after = await store.ledger(LedgerQuery(after=left.row))
    assert [found.entry.why for found in after] == ["line 3"]


async def test_closed_incidents_go_by_age_and_number_and_open_ones_never(store: Store):
    await store.commit(
        Batch(
            incidents=(
                incident("inc-open"),
                *(incident(f"inc-{n}", closed=float(n)) for n in range(1, 9)),
            )
        )
    )
    await store.prune(kept(incident_age=6.0), 10.0)
    assert await ids(store) == {"inc-open", *(f"inc-{n}" for n in range(4, 9))}
    await store.prune(kept(max_incidents=2), 10.0)
    assert await ids(store) == {"inc-open", "inc-7", "inc-8"}


async def test_an_incident_that_an_active_remediation_is_there_for_stays(store: Store):
    rem = remediation("rem-1", Step.VALIDATING, incidents=(IncidentId("inc-1"),))
    await store.commit(Batch(incidents=(incident("inc-1", closed=2.0),), remediations=(rem,)))
    await store.prune(kept(incident_age=1.0), 100.0)
    assert await ids(store) == {"inc-1"}


async def test_ended_remediations_go_with_their_journal_but_for_the_latest_of_a_node(store: Store):
    rems = (
        remediation("rem-old", Step.DONE, opened=1.0),
        remediation("rem-named", Step.CANCELLED, opened=2.0),
        remediation("rem-active", Step.DRAINING, opened=3.0),
        remediation("rem-latest", Step.QUARANTINED, opened=4.0),
    )
    named = incident("inc-1", remediation=RemediationId("rem-named"))
    attempts = tuple(attempt(rem.id) for rem in rems)
    await store.commit(Batch(incidents=(named,), remediations=rems, attempts=attempts))
    assert await store.prune(kept(incident_age=1.0), 100.0) == 1
    left = await store.remediations(node=N1, limit=10)
    assert [rem.id for rem in left] == ["rem-latest", "rem-active", "rem-named"]
    assert await store.attempts(RemediationId("rem-old")) == ()
    assert len(await store.attempts(RemediationId("rem-active"))) == 1


async def test_events_since_an_open_incident_outlive_their_age_but_not_their_number(store: Store):
    opened = 10 * DAY
    await store.commit(Batch(incidents=(incident("inc-1", opened=opened),)))
    await store.commit(
        Batch(events=(event(1, opened - DAY), event(2, opened - 60.0), event(3, opened + DAY)))
    )
    await store.prune(kept(event_age=DAY), 100 * DAY)
    assert [each.sequence for each in await store.events(EventQuery())] == [2, 3]
    await store.prune(kept(max_events=1), 100 * DAY)
    assert [each.sequence for each in await store.events(EventQuery())] == [3]


async def test_a_node_that_is_forgotten_takes_its_history_with_it_and_leaves_the_ledger(reopen: Reopen):
    store = await reopen()
    nodes = tuple(
        NodeRecord(node=name, boot_id=BootId("b"), version="1", first_seen=1.0) for name in (N1, N2)
    )
    await store.commit(
        Batch(
            nodes=nodes,
            incidents=(incident("inc-1", closed=2.0),),
            remediations=(remediation("rem-1", Step.DONE),),
            attempts=(attempt("rem-1"),),
            ledger=(line(1),),
        )
    )
    await store.commit(Batch(forgotten_nodes=(N1,)))
    left = await (await reopen()).load()
    assert ([record.node for record in left.nodes], left.incidents, left.remediations) == ([N2], (), ())


async def test_the_size_of_the_database_grows_with_what_is_in_it(store: Store):
    before = await store.size()
    await store.commit(Batch(ledger=tuple(line(n, why="x" * 1_000) for n in range(2_000))))
    assert await store.size() > before + 1_000_000
