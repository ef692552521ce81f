"""What the coordinator hands out, to whom and when; nothing before it is kept."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.agent import FakeAgent
from tests.fakes.clock import FakeClock
from tests.support.waiting import until

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.rule_members import member_of
from sickbay.coordinator.rule_sets import RuleSets
from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.store import Batch, NodeRecord, Store, StoreError
from sickbay.core.conditions import Severity
from sickbay.core.ids import BootId, NodeName
from sickbay.core.ledger import LedgerQuery
from sickbay.core.outcomes import Verdict
from sickbay.core.rollout import Phase, Plan, Stage
from sickbay.core.rule_bundles import RuleBundle, RuleFile, RuleLayer, RuleSetOffer, RulesReport
from sickbay.core.rules_views import RolloutChange

PLAN = Plan(stages=(Stage(pools=("canary",)), Stage(percent=100)), soak=0.4)


def bundle(text: str) -> RuleBundle:
    return RuleBundle(layers=(RuleLayer(origin="/site", files=(RuleFile(name="r.yaml", text=text),)),))


class Session:
    """A stream that keeps what it is handed."""

    def __init__(self, node: str) -> None:
        self.node = NodeName(node)
        self.boot_id = BootId("boot-1")
        self.offers: list[RuleSetOffer] = []

    def offer_rules(self, offer: RuleSetOffer) -> None:
        self.offers.append(offer)

    def direct(self, directive: object) -> None:
        raise AssertionError(directive)

    def close(self, why: str) -> None:
        raise AssertionError(why)


class FullDisk:
    """A store that cannot keep a roll-out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def commit(self, batch: Batch) -> None:
        if batch.rollout is not None:
            raise StoreError("the disk is full")
        await self._store.commit(batch)


class Cluster:
    """A fleet over a real store, with a clock that runs only as fast as the test lets it."""

    def __init__(self, store: Store) -> None:
        self.store, self.fleet, self.clock = store, Fleet(store), FakeClock()
        self.sessions: dict[str, Session] = {}
        self.sets = RuleSets(fleet=self.fleet, store=store, clock=self.clock, plan=PLAN)

    def node(self, name: str, *, pool: str = "", takes: bool = True) -> Session:
        session = self.sessions[name] = Session(name)
        rules = RulesReport(takes=takes)
        record = NodeRecord(
            node=session.node, boot_id=session.boot_id, version="1", first_seen=0.0, pool=pool, rules=rules
        )
        state = self.fleet.learn(session.node, session.boot_id, "1", 0.0)
        state.put_record(record)
        state.session = session
        return session

    def state(self, name: str) -> NodeState:
        return self.fleet.nodes[NodeName(name)]

    def says(self, name: str, **rules: str) -> None:
        state = self.state(name)
        report = RulesReport(takes=True, **rules)  # type: ignore[arg-type]
        state.put_record(
            NodeRecord(
                node=state.name,
                boot_id=BootId("boot-1"),
                version="1",
                first_seen=0.0,
                pool=state.record.pool,
                rules=report,
            )
        )
        self.sets.look(state)


@pytest.fixture
async def cluster(tmp_path: Path):
    store = open_sqlite(tmp_path / "sickbay.db")
    yield Cluster(store)
    await store.close()


async def begun(cluster: Cluster) -> str:
    await cluster.sets.take(bundle("one"))
    outcome = await cluster.sets.change(RolloutChange.BEGIN, "operator ann", "")
    assert outcome.verdict is Verdict.DONE, outcome
    return cluster.sets.candidate


async def test_only_the_canary_is_handed_the_set_and_once(cluster: Cluster) -> None:
    canary, other = cluster.node("n1", pool="canary"), cluster.node("n2")
    own = cluster.node("n3", pool="canary", takes=False)
    digest = await begun(cluster)
    running = asyncio.create_task(cluster.sets.run())
    await until(lambda: canary.offers)
    cluster.sets.look(cluster.state("n1"))
    cluster.sets.look(cluster.state("n2"))
    cluster.clock.advance(30.0)
    await asyncio.sleep(0)
    assert [offer.digest for offer in canary.offers] == [digest]
    assert (other.offers, own.offers) == ([], [])
    running.cancel()


async def test_a_roll_out_is_kept_before_anybody_is_handed_anything(cluster: Cluster) -> None:
    canary = cluster.node("n1", pool="canary")
    await cluster.sets.take(bundle("one"))
    cluster.sets.store = FullDisk(cluster.store)  # type: ignore[assignment]
    with pytest.raises(StoreError):
        await cluster.sets.change(RolloutChange.BEGIN, "operator ann", "")
    assert cluster.sets.rollout.phase is Phase.IDLE
    assert canary.offers == []


async def test_a_new_coordinator_goes_on_where_the_old_one_died(cluster: Cluster) -> None:
    cluster.node("n1", pool="canary")
    digest = await begun(cluster)
    found = await cluster.store.load()
    assert found.rollout == cluster.sets.rollout
    assert (found.rollout.target, found.rollout.chosen) == (digest, (NodeName("n1"),))
    assert {record.digest for record in found.rule_sets} == {digest}


async def test_without_a_node_that_takes_rules_nothing_begins(cluster: Cluster) -> None:
    await cluster.sets.take(bundle("one"))
    outcome = await cluster.sets.change(RolloutChange.BEGIN, "operator ann", "")
    assert (outcome.verdict, "rules_from" in outcome.detail) == (Verdict.FAILED, True)


async def test_sets_that_nobody_can_be_handed_are_forgotten_and_versions_go_on(cluster: Cluster) -> None:
    for text in ("one", "two", "three"):
        await cluster.sets.take(bundle(text))
    assert [record.version for record in (await cluster.store.load()).rule_sets] == [3]
    await cluster.sets.take(bundle("three"))
    assert len(cluster.sets.known) == 1


async def test_a_refusal_holds_it_and_the_ledger_says_who_and_why(cluster: Cluster) -> None:
    cluster.node("n1", pool="canary")
    digest = await begun(cluster)
    running = asyncio.create_task(cluster.sets.run())
    cluster.says("n1", refused=digest)
    await until(lambda: cluster.sets.rollout.phase is Phase.HELD)
    running.cancel()
    entries = [line.entry for line in await cluster.store.ledger(LedgerQuery(limit=10))]
    assert [entry.what for entry in entries] == ["rules roll-out begun", "rules roll-out held"]
    assert "n1 refused it" in entries[-1].why
    assert entries[0].who == "operator ann"


async def test_going_back_reaches_every_connected_node(cluster: Cluster) -> None:
    sessions = [cluster.node(f"n{i}", pool="canary") for i in range(50)]
    digest = await begun(cluster)
    for i in range(50):
        cluster.says(f"n{i}", running=digest)
    await cluster.sets.change(RolloutChange.ROLL_BACK, "operator ann", "")
    running = asyncio.create_task(cluster.sets.run())
    async with asyncio.timeout(30):
        while not all(session.offers for session in sessions):
            cluster.clock.advance(0.1)
            await asyncio.sleep(0)
    assert {session.offers[-1].digest for session in sessions} == {""}
    running.cancel()


async def test_a_node_counts_warnings_from_before_and_after_by_its_own_clock(cluster: Cluster) -> None:
    cluster.node("n1")
    state, now = cluster.state("n1"), cluster.clock.now()
    cluster.says("n1", running="x")
    agent = FakeAgent(clock=cluster.clock)
    rules = RulesReport(takes=True, running="x", since=now.wall - 100.0)
    state.put_record(
        NodeRecord(
            node=state.name, boot_id=BootId("boot-1"), version="1", first_seen=0.0, pool="p", rules=rules
        )
    )
    for name, age, severity in (
        ("After", 50.0, Severity.WARNING),
        ("Before", 150.0, Severity.FATAL),
        ("LongBefore", 250.0, Severity.FATAL),
        ("Info", 50.0, Severity.INFO),
    ):
        condition = agent.condition(name, since=now.wall - age, severity=severity)
        state.conditions[condition.key] = condition
    member = member_of(state, now, now.mono)
    assert (member.opened, member.opened_before, member.pool) == (1, 1, "p")


async def test_beginning_by_itself_never_goes_on_with_what_is_held(cluster: Cluster) -> None:
    cluster.node("n1", pool="canary")
    digest = await begun(cluster)
    await cluster.sets.change(RolloutChange.HOLD, "operator ann", "wait")
    again = RuleSets(
        fleet=cluster.fleet,
        store=cluster.store,
        clock=cluster.clock,
        plan=PLAN,
        automatic=True,
        known=dict(cluster.sets.known),
        rollout=cluster.sets.rollout,
    )
    await again.take(bundle("one"))
    assert (again.rollout.phase, again.rollout.target) == (Phase.HELD, digest)
    await again.take(bundle("two"))
    assert (again.rollout.phase, again.rollout.target) == (Phase.ROLLING, again.candidate)
