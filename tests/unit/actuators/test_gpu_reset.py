"""GPU resets by a stand-in for the vendor's tool, over a pretended /proc and /sys."""

from pathlib import Path

import pytest

from sickbay.actuators.gpu_reset import ResetGpu
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Directive, Grant, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.host.host_root import HostRoot

GRANT = Grant(action_id=ActionId("a"), node=NodeName("n"), boot_id=BootId("b"), term=1, expires_at=1e12)


class Bench:
    """A host, and what was done on it, in order."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log = folder, folder / "log"
        self.log.touch()
        self.freed = Outcome.done("free")
        (folder / "proc/1/fd").mkdir(parents=True)

    def hold(self, pid: int, name: str) -> None:
        fds = self.root / f"proc/{pid}/fd"
        fds.mkdir(parents=True)
        (fds / "3").symlink_to("/dev/nvidia0")
        (fds.parent / "stat").write_text(f"{pid} ({name}) S 1 1 1\n")
        (fds.parent / "comm").write_text(f"{name}\n")

    def note(self, word: str) -> None:
        self.log.write_text(self.log.read_text() + word + "\n")

    async def release(self, seconds: float) -> Outcome:
        assert seconds > 0
        self.note("release")
        return self.freed

    async def resume(self) -> None:
        self.note("resume")

    async def reset(self, target: str, script: str = "", deadline: float = 20.0) -> Outcome:
        argv = ("sh", "-c", f'echo "reset $1" >> {self.log}; {script or "true"}', "tool")
        actuator = ResetGpu(
            commands=SystemCommands(),
            clock=SystemClock(),
            host=HostRoot.under(self.root),
            release=self.release,
            resume=self.resume,
            argv=argv,
            deadline=deadline,
        )
        return await actuator.perform(Directive(verb=Verb.RESET_GPU, grant=GRANT, target=target))

    @property
    def done(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_each_gpu_is_reset_between_a_release_and_its_end(bench: Bench) -> None:
    outcome = await bench.reset("0000:1b:00,0000:3d:00")
    assert outcome.verdict is Verdict.DONE
    assert bench.done == ["release", "reset 0000:1b:00.0", "reset 0000:3d:00.0", "resume"]


async def test_a_process_that_holds_a_gpu_is_named_and_nothing_is_reset(bench: Bench) -> None:
    bench.hold(77, "python")
    outcome = await bench.reset("0000:1b:00")
    assert outcome.verdict is Verdict.FAILED
    assert "python (pid 77) holds /dev/nvidia0" in outcome.detail
    assert bench.done == ["release", "resume"]


async def test_where_nobody_can_say_who_holds_the_gpus_nothing_is_reset(bench: Bench) -> None:
    (bench.root / "proc/1/fd").rmdir()
    outcome = await bench.reset("0000:1b:00")
    assert outcome.verdict is Verdict.FAILED
    assert bench.done == ["release", "resume"]


async def test_gpus_behind_nvswitches_are_not_reset_alone(bench: Bench) -> None:
    (bench.root / "sys/bus/pci/drivers/nvidia-nvswitch/0000:05:00.0").mkdir(parents=True)
    outcome = await bench.reset("0000:1b:00")
    assert (outcome.verdict, bench.done) == (Verdict.FAILED, [])


async def test_a_hold_of_our_own_that_does_not_end_leaves_the_gpu_alone(bench: Bench) -> None:
    bench.freed = Outcome.failed("the worker hangs")
    outcome = await bench.reset("0000:1b:00")
    assert outcome.verdict is Verdict.FAILED
    assert bench.done == ["release", "resume"]


async def test_a_tool_that_refuses_is_failed_and_the_next_gpu_is_left_alone(bench: Bench) -> None:
    outcome = await bench.reset("0000:1b:00,0000:3d:00", "echo Insufficient Permissions; exit 4")
    assert outcome.verdict is Verdict.FAILED
    assert "exited with 4 and said: Insufficient Permissions" in outcome.detail
    assert bench.done == ["release", "reset 0000:1b:00.0", "resume"]


async def test_a_tool_that_does_not_end_is_unknown_because_it_may_have_worked(bench: Bench) -> None:
    outcome = await bench.reset("0000:1b:00", "sleep 60", deadline=0.3)
    assert outcome.verdict is Verdict.UNKNOWN
    assert bench.done[-1] == "resume"


@pytest.mark.parametrize("target", ["", "GPU-1", "0000:1b:00,", "all", "0000:1b:00; reboot"])
async def test_a_target_that_is_no_list_of_addresses_is_refused(bench: Bench, target: str) -> None:
    assert (await bench.reset(target)).verdict is Verdict.FAILED
    assert bench.done == []
