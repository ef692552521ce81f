"""`sickbay inject`: lines as they stand, or an Xid in the driver's words."""

from dataclasses import replace

from tests.fakes.operations import FakeNodeOperations, host
from tests.unit.cli.conftest import Typed

from sickbay.cli.inject import lines_of
from sickbay.core.devices import Gpu, Inventory
from sickbay.core.gpu_lost_lines import parse_gpu_lost
from sickbay.core.host_views import HostView
from sickbay.core.xid_lines import parse_xid

LINE = "NVRM: Xid (PCI:0000:1b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


async def test_an_injection_that_is_not_allowed_fails(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    done = await sickbay("inject", LINE)
    assert (done.exit_code, done.stderr) == (1, "sickbay: injection is not allowed here\n")
    assert node_operations.asked == [LINE]


async def test_an_xid_is_injected_in_the_drivers_words_on_the_gpu_in_a_slot(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    async def health() -> HostView:
        return replace(host(), inventory=Inventory(gpus=(Gpu(uuid="GPU-1", pci="0000:1b:00", slot=3),)))

    node_operations.health = health  # type: ignore[method-assign]  # a host with a GPU
    for name in ("3", "GPU-1", "00000000:1B:00.0"):
        node_operations.asked.clear()
        await sickbay("inject", "--xid", "79", "--gpu", name)
        assert node_operations.asked == list(lines_of(79, "0000:1b:00"))
    done = await sickbay("inject", "--xid", "79", "--gpu", "4")
    assert (done.exit_code, done.stderr) == (2, "sickbay: no GPU '4' on this host; it has: 3 (0000:1b:00)\n")


async def test_what_to_inject_is_said_once_and_whole(sickbay: Typed) -> None:
    for words in ((), (LINE, "--xid", "79", "--gpu", "3"), ("--xid", "79"), (LINE, "--gpu", "3")):
        assert (await sickbay("inject", *words)).exit_code == 2


def test_the_lines_that_are_made_are_read_by_our_own_parsers() -> None:
    first, second = lines_of(79, "0000:1b:00")
    assert (parse_xid(first), parse_gpu_lost(second)) != (None, None)
    for code in (13, 48, 63, 119, 999):
        (line,) = lines_of(code, "0000:1b:00")
        read = parse_xid(line)
        assert read is not None
        assert (read.code, read.pci) == (code, "0000:1b:00")
