"""When the kernel is looked at, and what is known while a look does not come back."""

import asyncio
import threading
from collections.abc import Collection

from tests.fakes.sweeps import gpu, sweep, unavailable
from tests.support.waiting import until

from sickbay.host.kernel_view import NOTHING_SEEN, KernelView
from sickbay.host.nvml.catalogue import PROCESSES, TEMPERATURE
from sickbay.host.nvml.readings import Sweep
from sickbay.host.pci_devices import PciView
from sickbay.node.kernel_look import KernelLook

SEEN = KernelView(pci=PciView())


class Kernel:
    """Answers when it is let, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[frozenset[int]] = []
        self.answering = threading.Event()
        self.answering.set()

    def look(self, pids: Collection[int]) -> KernelView:
        self.asked.append(frozenset(pids))
        self.answering.wait()
        return SEEN


def of(group: str, **values: tuple[int, ...]) -> Sweep:
    whole = sweep(gpu(**values))
    return Sweep(at=whole.at, gpus=whole.gpus, count=whole.count, groups=frozenset({group}))


async def test_a_sweep_that_read_processes_is_looked_at_with_all_of_them() -> None:
    kernel = Kernel()
    assert await KernelLook(kernel).beside(of(PROCESSES, compute_pids=(7, 8), mps_pids=(9,))) == SEEN
    assert kernel.asked == [frozenset({7, 8, 9})]


async def test_a_sweep_that_read_none_needs_no_look() -> None:
    kernel = Kernel()
    assert await KernelLook(kernel).beside(of(TEMPERATURE)) is None
    assert kernel.asked == []


async def test_a_driver_that_cannot_be_asked_makes_the_kernel_worth_asking() -> None:
    assert await KernelLook(Kernel()).beside(unavailable("not loaded")) == SEEN


async def test_a_look_that_hangs_makes_its_matter_unknown_and_is_not_begun_again() -> None:
    kernel = Kernel()
    kernel.answering.clear()
    look = KernelLook(kernel, within=0.05)
    assert [await look.beside(of(PROCESSES)) for _ in range(3)] == [NOTHING_SEEN] * 3
    assert len(kernel.asked) == 1
    kernel.answering.set()
    async with asyncio.timeout(10):
        while await look.beside(of(PROCESSES)) != SEEN:
            await asyncio.sleep(0)
    await until(lambda: len(kernel.asked) == 2)


async def test_where_nothing_can_be_asked_nothing_is() -> None:
    assert await KernelLook(None).beside(of(PROCESSES)) is None
