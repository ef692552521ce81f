"""The decision loop: who is told what, and what is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.node_parts import BOOT, INVENTORY, Parts

from sickbay.core.conditions import Condition, Status
from sickbay.core.ids import BootId
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import NO_RULES
from sickbay.core.signals import Signal
from sickbay.core.views import Health
from sickbay.host.spool_records import decoded


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    made.start()
    made.judge.sight("kernel_log", "")
    yield made
    await made.spool.close()


async def test_a_fault_is_told_at_once_kept_and_shown(parts: Parts) -> None:
    shown = parts.shown
    parts.judge.take((parts.xid(79, 7),), cursor=7)
    (condition,) = parts.told.deltas[-1].conditions
    assert condition.type == "GpuFallenOffBus"
    assert parts.shown == shown + 1
    await parts.spool.flushed()
    assert [type(event.what) for event in parts.told.happened] == [Signal, Condition]
    assert parts.status.health()[0] is Health.UNHEALTHY


async def test_what_is_kept_together_is_enough_to_go_on_from(parts: Parts) -> None:
    parts.judge.take((parts.xid(79, 7),), cursor=7)
    await parts.spool.close()
    restored = Parts(parts.folder).spool.restored(BOOT)
    assert restored.cursor == 7
    assert restored.state is not None
    assert decoded(restored.state, EngineState).conditions == parts.status.conditions


async def test_the_same_event_again_changes_nothing(parts: Parts) -> None:
    parts.judge.take((parts.xid(79, 7),))
    before = len(parts.told.deltas)
    parts.judge.take((parts.xid(79, 7),))
    await parts.spool.flushed()
    assert len(parts.told.deltas) == before
    assert len(parts.told.happened) == 2


async def test_nothing_is_written_while_nothing_changes(parts: Parts) -> None:
    reading = parts.reading("temperature", gpu=40, memory=None, slowdown_at=90)
    parts.judge.take((reading,))
    await parts.spool.flushed()
    wal = parts.folder / "spool.db-wal"
    size = wal.stat().st_size
    for _ in range(20):
        parts.clock.advance(10)
        parts.judge.take((replace(reading, at=parts.clock.now()),))
    await parts.spool.flushed()
    assert wal.stat().st_size == size


async def test_a_state_that_left_its_rule_is_cleared_when_rules_change(parts: Parts) -> None:
    parts.judge.take((parts.xid(79, 7),))
    parts.judge.adopt(NO_RULES)
    (condition,) = parts.told.deltas[-1].conditions
    assert condition.status is Status.FALSE
    assert parts.status.rules_digest == NO_RULES.digest


async def test_what_was_open_in_an_earlier_boot_ends_with_it_and_that_is_history(tmp_path: Path) -> None:
    earlier = Parts(tmp_path)
    earlier.start()
    earlier.judge.take((earlier.xid(79, 7),), cursor=7)
    state = earlier.judge.state
    await earlier.spool.close()
    parts = Parts(tmp_path, boot=BootId("boot-2"), state=state)
    parts.start()
    await parts.spool.flushed()
    assert parts.status.conditions == ()
    (event,) = parts.told.happened
    assert isinstance(event.what, Condition)
    assert event.what.status is Status.FALSE
    await parts.spool.close()


async def test_a_healthy_inventory_is_kept_and_a_smaller_one_never_takes_its_place(parts: Parts) -> None:
    parts.judge.learn(INVENTORY)
    parts.judge.learn(replace(INVENTORY, gpus=INVENTORY.gpus[1:]))
    await parts.spool.close()
    again = Parts(parts.folder)
    assert again.status.baseline == INVENTORY
    assert again.status.known_inventory.gpus == INVENTORY.gpus


async def test_an_inventory_seen_while_something_is_wrong_is_not_the_healthy_one(parts: Parts) -> None:
    parts.judge.take((parts.xid(79, 7),))
    parts.judge.learn(INVENTORY)
    assert parts.status.baseline is None


async def test_a_lost_piece_of_history_is_itself_history(parts: Parts) -> None:
    parts.judge.dropped(12)
    await parts.spool.flushed()
    (told,) = [event.what for event in parts.told.happened if isinstance(event.what, Signal)]
    assert (told.kind, told.fields) == ("spool_gap", {"lost": 12})


async def test_a_monitor_that_goes_blind_is_a_condition_that_clears_when_it_sees(parts: Parts) -> None:
    parts.judge.sight("nvml", "the driver is not loaded")
    assert [c.type for c in parts.status.conditions] == ["MonitorDegraded"]
    parts.clock.advance(1)
    parts.judge.sight("nvml", "")
    assert parts.status.conditions == ()


async def test_an_essential_monitor_that_cannot_see_makes_health_unknown(parts: Parts) -> None:
    parts.judge.sight("kernel_log", "permission denied")
    assert parts.status.health() == (Health.UNKNOWN, "kernel_log cannot see: permission denied")


async def test_how_long_a_fault_took_to_be_seen_is_counted_for_what_happened_since_we_run(
    parts: Parts,
) -> None:
    old = replace(parts.xid(94, 3), at=parts.clock.now().later(-3600))
    parts.judge.take((old,))
    parts.judge.take((parts.xid(79, 7),))
    assert sum(parts.judge.counters.detection.counts) == 1


async def test_a_storm_told_again_with_a_larger_count_counts_the_difference(parts: Parts) -> None:
    for count in (1, 5, 500):
        parts.judge.take((parts.xid(94, 3, count=count),))
    assert parts.judge.counters.xids == {("0000:1a:00", "94", "kmsg"): 500}
