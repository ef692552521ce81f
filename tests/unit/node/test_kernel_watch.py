"""From kernel records to the judge: what reaches it, under which name, and who is told to keep away."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from tests.fakes.node_parts import BOOT, GPUS, INVENTORY, Parts
from tests.support.agent_process import XID_79

from sickbay.core.kernel_records import Cursor, Entry, KernelRecord
from sickbay.core.outcomes import Verdict
from sickbay.core.signals import Signal
from sickbay.host.kmsg import KernelLog, Reading
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.monitors import kernel_log
from sickbay.monitors.kernel_log import KernelLogState, Observed
from sickbay.monitors.xid import Seen
from sickbay.node.kernel_watch import KernelWatch
from sickbay.sim.kernel_log import SimulatedKernelLog, append


class World:
    def __init__(self, folder: Path) -> None:
        self.parts = Parts(folder)
        self.kmsg = folder / "kmsg"
        self.kmsg.touch()
        self.left_out: list[str] = []

    def watch(self, *, accept_injected: bool = True, cursor: Cursor | None = None) -> KernelWatch:
        watch = KernelWatch(
            clock=self.parts.clock,
            judge=self.parts.judge,
            open_log=self.open_log,
            cursor=cursor,
            accept_injected=accept_injected,
        )
        watch.leave_out = lambda pci, _because: self.left_out.append(pci)
        return watch

    def open_log(self, reading: Reading) -> KernelLog:
        return SimulatedKernelLog(self.kmsg, reading, clock=self.parts.clock)

    def print(self, text: str = XID_79) -> int:
        return append(self.kmsg, text, mono=self.parts.clock.now().mono)

    async def events(self) -> list[Signal]:
        await self.parts.spool.flushed()
        return [event.what for event in self.parts.told.happened if isinstance(event.what, Signal)]

    @property
    def open(self) -> list[tuple[str, str, bool]]:
        return [(c.type, c.subject.pci, c.synthetic) for c in self.parts.status.conditions]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.parts.start()
    yield made
    await made.parts.spool.close()


async def test_a_gpu_off_the_bus_is_left_to_no_driver_call(world: World) -> None:
    for code in (13, 79, 119, 120):
        world.print(XID_79.replace("79,", f"{code},").replace("1b:00", f"{code % 90:02d}:00"))
    world.print("NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.")
    world.watch().read_once()
    assert world.left_out == ["0000:79:00", "0000:29:00", "0000:30:00", "0000:18:00"]


async def test_a_gpu_that_can_no_longer_say_its_name_keeps_the_one_it_had(world: World) -> None:
    world.parts.status.baseline = INVENTORY
    world.print()
    world.watch().read_once()
    (condition,) = world.parts.status.conditions
    assert condition.subject.gpu_uuid == GPUS[1].uuid


async def test_reading_goes_on_after_the_cursor(world: World) -> None:
    first = world.print()
    world.watch(cursor=Cursor(boot_id=BOOT, sequence=first)).read_once()
    assert world.open == []


async def test_an_injected_line_goes_by_another_source_and_stays_marked(world: World) -> None:
    watch = world.watch()
    assert watch.inject(XID_79).verdict is Verdict.DONE
    (event,) = await world.events()
    assert event.identity is not None
    assert (event.identity.source, event.synthetic, event.sources) == ("inject", True, ("inject",))
    assert world.open == [("GpuFallenOffBus", "0000:1b:00", True)]
    assert world.left_out == []


async def test_a_real_fault_is_not_hidden_by_an_injected_one(world: World) -> None:
    watch = world.watch()
    watch.inject(XID_79)
    sequence = world.print()
    watch.read_once()
    assert [str(event.identity) for event in await world.events()][1] == f"{BOOT}/kmsg/{sequence}"
    assert world.open == [("GpuFallenOffBus", "0000:1b:00", False)]
    assert world.left_out == ["0000:1b:00"]


async def test_injection_needs_leave_and_a_line_that_means_something(world: World) -> None:
    assert world.watch(accept_injected=False).inject(XID_79).verdict is Verdict.FAILED
    assert world.watch().inject("NVRM: hello").verdict is Verdict.FAILED
    assert await world.events() == []


async def test_an_xid_of_the_driver_and_the_same_of_the_kernel_are_one_event_with_two_sources(
    world: World,
) -> None:
    watch = world.watch()
    watch.confirm(
        NvmlEvent(pci="0000:1b:00", type="xid", data=79, at=world.parts.clock.now(), sequence=5),
    )
    world.print()
    watch.read_once()
    events = await world.events()
    assert {str(event.identity) for event in events} == {f"{BOOT}/nvml/5"}
    assert set(events[-1].sources) == {"kmsg", "nvml"}
    assert len(world.open) == 1


async def test_another_event_of_the_driver_is_history(world: World) -> None:
    world.watch().confirm(
        NvmlEvent(
            pci="0000:1b:00", type="gpu_recovery_action", data=1, at=world.parts.clock.now(), sequence=6
        ),
    )
    (event,) = await world.events()
    assert (event.kind, event.fields["type"]) == ("nvml_event", "gpu_recovery_action")


async def test_a_log_that_cannot_be_read_is_said(world: World) -> None:
    world.kmsg.unlink()
    world.watch().read_once()
    assert "missing" in world.parts.status.blind


async def test_bytes_that_are_no_record_are_counted_and_stop_nothing(world: World) -> None:
    world.kmsg.write_bytes(b"garbage without a header\n")
    world.print()
    world.watch().read_once()
    assert world.parts.judge.counters.unreadable_records == 1
    assert world.open == [("GpuFallenOffBus", "0000:1b:00", False)]


async def test_a_line_on_which_a_monitor_fails_is_passed_over_and_the_next_is_seen(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = kernel_log.observe

    def fragile(state: KernelLogState, entries: Iterable[Entry], seen: Seen) -> Observed:
        entries = list(entries)
        if any(isinstance(entry, KernelRecord) and "trap" in entry.text for entry in entries):
            raise ValueError("a defect")
        return real(state, entries, seen)

    monkeypatch.setattr(kernel_log, "observe", fragile)
    world.print("NVRM: Xid (PCI:0000:1a:00): 31, pid=1, name=trap, MMU Fault")
    world.print()
    world.watch().read_once()
    assert world.open == [("GpuFallenOffBus", "0000:1b:00", False)]
    assert world.parts.judge.counters.unreadable_records == 1
