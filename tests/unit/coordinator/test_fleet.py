"""Memory first, then the disk; and a disk that refuses holds every effect back."""

from dataclasses import replace
from pathlib import Path

from tests.fakes.words import an_incident
from tests.fakes.world import NODE, World

from sickbay.coordinator.sqlite_store import SqliteStore
from sickbay.coordinator.store import Batch, StoreError
from sickbay.core.ids import IncidentId
from sickbay.core.remediation import Step


class RefusingStore:
    """A store whose disk is full while `is_full`."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_full = False

    async def commit(self, batch: Batch) -> None:
        if self.is_full and not batch.is_empty:
            raise StoreError("the disk is full")
        await self._store.commit(batch)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def refusing(world: World) -> list[RefusingStore]:
    made: list[RefusingStore] = []

    def around(store: SqliteStore) -> RefusingStore:
        made.append(RefusingStore(store))
        return made[-1]

    world.around_store = around  # type: ignore[assignment]
    return made


async def test_nothing_is_done_to_a_node_while_its_journal_cannot_be_written(tmp_path: Path):
    world = World.at(tmp_path)
    stores = refusing(world)
    await world.start()
    await world.lose_gpu()
    stores[0].is_full = True
    await world.passes(600)
    assert world.verbs == []
    stores[0].is_full = False
    await world.until_step(Step.DONE)
    assert world.verbs == ["cordon", "reboot", "return_to_service"]
    await world.stop()


async def test_a_disk_that_fills_in_mid_way_stops_everything_before_the_next_effect(tmp_path: Path):
    world = World.at(tmp_path)
    stores = refusing(world)
    await world.start()
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    stores[0].is_full = True
    world.scheduler.end_job(NODE, job)
    await world.passes(60)
    assert world.verbs == ["cordon"]
    stores[0].is_full = False
    await world.until_step(Step.DONE)
    await world.stop()


async def test_what_could_not_be_committed_goes_with_the_next_commit_as_it_is_by_then(tmp_path: Path):
    world = World.at(tmp_path)
    stores = refusing(world)
    await world.start()
    state, fleet = world.node, world.parts.fleet
    stores[0].is_full = True
    incident = an_incident()
    state.put_incident(incident)
    try:
        await fleet.commit(state)
    except StoreError:
        state.put_incident(incident.closed(at=9.0, because="over"))
    stores[0].is_full = False
    await fleet.commit(state)
    (kept,) = (await fleet.store.load()).incidents
    assert kept.closed_because == "over"
    await world.stop()


async def test_only_the_latest_closed_incidents_are_kept_in_memory(tmp_path: Path):
    world = World.at(tmp_path)
    await world.start()
    for number in range(20):
        made = replace(an_incident(), id=IncidentId(f"inc-{number:02}"), opened_at=float(number))
        world.node.put_incident(made.closed(at=float(number), because="over"))
    assert sorted(world.node.incidents) == [f"inc-{number}" for number in range(12, 20)]
    await world.stop()
