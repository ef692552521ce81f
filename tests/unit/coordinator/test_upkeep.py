"""What keeps the store within its bounds, and who is told when it is not."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from tests.fakes.words import a_remediation, an_incident
from tests.fakes.world import NODE, World

from sickbay.coordinator.store import Batch, NodeRecord, Retention
from sickbay.coordinator.upkeep import StoreMetrics, Upkeep, without_gone_nodes
from sickbay.core.ids import BootId, NodeName, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry, LedgerQuery
from sickbay.orchestrators.records import CordonRecord

DAY = 86_400.0


def upkeep(world: World, *, bound: int = 2**40, retention: Retention | None = None) -> Upkeep:
    kept = retention or Retention(event_age=10.0, max_events=100)
    return Upkeep(fleet=world.parts.fleet, clock=world.clock, retention=kept, bound=bound)


def figure(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(name)


async def test_a_store_beyond_its_bound_is_said_once_and_shown_until_it_is_smaller(
    world: World, caplog: pytest.LogCaptureFixture
):
    registry = CollectorRegistry()
    metrics, tended = StoreMetrics(registry), upkeep(world, bound=1)
    for _ in range(2):
        await tended.once()
    metrics.refresh(tended)
    assert "database.max_bytes" in tended.trouble
    assert [record.levelname for record in caplog.records if "allowed" in record.message] == ["ERROR"]
    assert figure(registry, "sickbay_store_over_bound") == 1
    assert (figure(registry, "sickbay_store_bytes") or 0) > 1
    tended.bound = 2**40
    await tended.once()
    metrics.refresh(tended)
    assert (tended.trouble, figure(registry, "sickbay_store_over_bound")) == ("", 0)


async def test_beyond_the_bound_half_as_many_events_are_kept_and_all_else_as_before(world: World):
    tended = upkeep(world, bound=1, retention=Retention(event_age=10.0, max_events=100, max_ledger=7))
    await tended.once()
    assert tended._kept == Retention(event_age=5.0, max_events=50, max_ledger=7)


async def test_old_history_goes_while_the_coordinator_runs(world: World):
    now = world.clock.now().wall
    lines = tuple(
        LedgerEntry(at=now - age, who="coordinator", what="w", node=NODE, why=str(age)) for age in (9, 3, 1)
    )
    store = world.parts.fleet.store
    await store.commit(Batch(ledger=lines))
    kept = Retention(event_age=10.0, max_events=100, ledger_age=5.0)
    await upkeep(world, retention=kept).once()
    assert "9" not in {line.entry.why for line in await store.ledger(LedgerQuery())}


async def test_the_record_of_a_node_says_to_a_day_when_its_agent_was_there(world: World):
    tended, fleet = upkeep(world), world.parts.fleet
    state = fleet.nodes[NODE]
    await tended.once()
    first = state.record.seen_at
    world.clock.advance(DAY / 2)
    await tended.once()
    assert state.record.seen_at == first
    world.clock.advance(DAY)
    await tended.once()
    assert state.record.seen_at == world.clock.now().wall
    assert (await fleet.store.load()).nodes == (state.record,)


async def test_only_nodes_with_nothing_open_that_are_long_gone_are_forgotten_at_a_start(world: World):
    def record(name: str, **changes: object) -> NodeRecord:
        made = NodeRecord(node=NodeName(name), boot_id=BootId("b"), version="1", first_seen=1.0, seen_at=1.0)
        return replace(made, **changes)  # type: ignore[arg-type]  # each as its field wants it

    def on(name: str) -> Incident:
        return replace(an_incident(), node=NodeName(name))

    store = world.parts.fleet.store
    await store.commit(
        Batch(
            nodes=(
                record("gone"),
                record("never-noted", seen_at=0.0),
                record("lately", seen_at=90 * DAY),
                record("ill"),
                record("under-repair"),
                record("held"),
                record("quarantined", quarantine=RemediationId("rem-1")),
            ),
            incidents=(on("ill"),),
            remediations=(replace(a_remediation(), node=NodeName("under-repair")),),
            cordons=(CordonRecord(node=NodeName("held"), reason="r", at=1.0),),
        )
    )
    snapshot = await store.load()
    left = await without_gone_nodes(store, snapshot, now=100 * DAY, kept=30 * DAY)
    gone = {each.node for each in snapshot.nodes} - {each.node for each in left.nodes}
    assert gone == {"gone"}
    assert {each.node for each in (await store.load()).nodes} == {each.node for each in left.nodes}
