"""The NVML client over real worker processes: simulated drivers, one in C, and none at all."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.fakes.nvml_host import SETTINGS, Watched, simulated, states, watch
from tests.support import deaf_worker, nvml_library
from tests.support.waiting import until

from sickbay.core.outcomes import Verdict
from sickbay.host.nvml.catalogue import GROUPS, INFOROM, TEMPERATURE
from sickbay.host.nvml.exclusions import Backoff
from sickbay.host.nvml.hang_watch import Deadlines
from sickbay.host.nvml.profile import load_profile
from sickbay.host.nvml.readings import GpuState, Knowledge
from sickbay.sim.scenario import Crash, Ecc, Hang, Lost, Missing, Returns, Xid
from sickbay.sim.simulated_node import H100X8, create_node, inject_fault, reset_gpu

READ, LOST, HANGS = GpuState.READ, GpuState.LOST, GpuState.UNRESPONSIVE
THERMO = "nvmlDeviceGetTemperatureV"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return create_node(tmp_path / "node").path


@pytest.fixture
async def host(node: Path) -> AsyncIterator[Watched]:
    watched = watch(simulated(node))
    yield watched
    await watched.client.close()


def one_out(state: GpuState, slot: int) -> list[GpuState]:
    return [state if place == slot else READ for place in range(8)]


async def test_eight_gpus_are_read_whole(host: Watched):
    sweep = await host.sweep()
    assert (sweep.complete, sweep.count, sweep.driver_version) == (True, 8, "570.124.06")
    assert [gpu.pci for gpu in sweep.gpus] == list(nvml_library.ADDRESSES)
    assert {code for gpu in sweep.gpus for code in gpu.codes.values()} == {3}, "the rest it has not"
    assert {gpu.uuid for gpu in sweep.gpus} == {
        gpu.values["uuid"] for gpu in load_profile(H100X8).complete_gpus()
    }
    assert sweep.calls["nvmlDeviceGetFieldValues"].count > 8


async def test_what_is_due_is_everything_at_first_and_then_what_changes_quickly(host: Watched):
    first, second = await host.sweep(), await host.sweep()
    assert first.groups == frozenset(GROUPS)
    assert (TEMPERATURE in second.groups, INFOROM in second.groups) == (True, False)
    assert first.gpus[0].number("inforom_valid") == 1
    assert second.gpus[0].reading("inforom_valid").why == "not asked in this sweep"
    assert second.gpus[0].capabilities()["inforom_valid"].knowledge is Knowledge.VALUE
    assert second.gpus[0].capabilities()["c2c_links"].knowledge is Knowledge.NOT_APPLICABLE
    asked = await host.sweep(everything=True)
    assert asked.groups == frozenset(GROUPS)
    assert asked.gpus[0].number("inforom_valid") == 1


async def test_after_a_hang_everything_is_due_of_those_that_are_left(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Hang(gpu=3, call=THERMO))
    broken = await host.sweep()
    assert INFOROM not in broken.groups, "of what was not due a broken sweep says nothing"
    after = await host.complete()
    assert after.groups == frozenset(GROUPS)
    assert after.gpus[3].reading("inforom_valid").knowledge is Knowledge.UNKNOWN


async def test_while_nothing_can_be_asked_everything_is_unknown(host: Watched):
    await host.sweep()
    await host.client.release(600.0)
    released = await host.sweep()
    assert released.groups == frozenset(GROUPS)
    await host.client.resume()
    assert (await host.sweep()).groups == frozenset(GROUPS)


async def test_what_the_driver_refused_for_good_is_asked_again_with_everything_else(node: Path):
    host = watch(simulated(node), settings=replace(SETTINGS, relearn_every=0.0))
    await host.sweep()
    again = await host.sweep()
    assert again.groups == frozenset(GROUPS)
    assert again.calls["nvmlDeviceGetPlatformInfo"].count > 8
    await host.client.close()


async def test_a_gpu_that_comes_or_goes_makes_everything_due_in_the_next_sweep(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Lost(gpu=5))
    assert INFOROM not in (await host.sweep()).groups
    assert (await host.sweep()).groups == frozenset(GROUPS)
    assert INFOROM not in (await host.sweep()).groups


async def test_a_hung_call_costs_its_gpu_a_state_and_the_others_one_sweep(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Hang(gpu=3, call=THERMO))
    broken = await host.sweep()
    assert broken.gpus[3].state is HANGS
    assert broken.gpus[3].hang is not None
    assert broken.gpus[3].hang.call == THERMO
    assert {gpu.state for gpu in broken.gpus if gpu.slot != 3} == {GpuState.MISSED}
    after = await host.sweep()
    assert states(after) == one_out(HANGS, 3)
    assert all(gpu.number("temperature") == 33 for gpu in after.gpus if gpu.slot != 3)


async def test_two_gpus_that_hang_are_both_left_out(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Hang(gpu=1, call=THERMO))
    inject_fault(node, Hang(gpu=6, call="nvmlDeviceGetFieldValues"))
    for _ in range(2):
        await host.sweep()
    after = await host.complete()
    assert [gpu.slot for gpu in after.gpus if gpu.state is HANGS] == [1, 6]


async def test_a_hang_at_the_very_first_handle_is_named_and_left_out(node: Path):
    inject_fault(node, Hang(gpu=2, call="nvmlDeviceGetHandleByPciBusId"))
    settings = replace(SETTINGS, deadlines=Deadlines(call=1.0, slow=1.5, silence=20.0))
    host = watch(simulated(node), settings=settings, known=nvml_library.ADDRESSES)
    assert states(await host.sweep())[2] is HANGS
    assert states(await host.complete()) == one_out(HANGS, 2)
    await host.client.close()


async def test_a_gpu_that_answers_again_is_taken_back(node: Path):
    host = watch(simulated(node), settings=replace(SETTINGS, probation=Backoff(first=0.2, longest=0.5)))
    await host.sweep()
    inject_fault(node, Hang(gpu=3, call=THERMO, until="reset"))
    assert states(await host.sweep())[3] is HANGS
    reset_gpu(node, 3)
    await host.until(lambda sweep: states(sweep) == [READ] * 8)
    await host.client.close()


async def test_a_lost_gpu_is_lost_in_the_same_sweep_and_not_touched_again(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Lost(gpu=5))
    lost = await host.sweep()
    assert states(lost) == one_out(LOST, 5)
    assert lost.gpus[5].uuid, "a lost GPU keeps its name"
    inject_fault(node, Hang(gpu=5, call=THERMO))
    assert states(await host.sweep()) == one_out(LOST, 5)


async def test_a_gpu_that_is_told_to_be_left_out_is_not_touched(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Hang(gpu=0, call=THERMO))
    inject_fault(node, Hang(gpu=0, call="nvmlDeviceGetHandleByPciBusId"))
    host.client.leave_out("0000:1b:00", "Xid 79")
    after = await host.sweep()
    assert states(after) == one_out(GpuState.UNSEEN, 0)
    assert after.gpus[0].because == "Xid 79"


async def test_a_gpu_that_the_host_once_had_is_absent(node: Path):
    inject_fault(node, Missing(gpu=7))
    host = watch(simulated(node), known=nvml_library.ADDRESSES)
    sweep = await host.sweep()
    assert (sweep.count, states(sweep)) == (7, one_out(GpuState.ABSENT, 7))
    await host.client.close()


async def test_a_gpu_that_turns_up_later_is_found(node: Path):
    host = watch(simulated(node), known=nvml_library.ADDRESSES[:6])
    assert len((await host.sweep()).gpus) == 6
    assert [gpu.pci for gpu in (await host.sweep()).gpus] == list(nvml_library.ADDRESSES)
    await host.client.close()


async def test_events_come_as_they_happen_and_say_which_gpu(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Xid(gpu=2, code=48))
    await until(lambda: host.events)
    event = host.events[0]
    assert (event.type, event.data, event.pci) == ("xid", 48, "0000:52:00")
    assert event.gpu_uuid.startswith("GPU-")
    assert (event.gpu_instance, event.compute_instance) == (None, None)


async def test_events_of_a_driver_without_the_newest_types_still_come(tmp_path: Path):
    old = msgspec.structs.replace(load_profile(H100X8), supported_events=0x8)
    node = create_node(tmp_path / "old", profile=old).path
    host = watch(simulated(node))
    assert "events" not in (await host.sweep()).gpus[0].codes
    inject_fault(node, Lost(gpu=0))
    await until(lambda: host.events)
    assert [event.type for event in host.events] == ["xid"]
    await host.client.close()


async def test_a_worker_that_its_driver_library_kills_blames_the_gpu_of_the_call(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Crash(gpu=4, call=THERMO))
    broken = await host.sweep()
    assert broken.gpus[4].state is GpuState.UNSEEN
    assert "signal 11" in broken.gpus[4].because
    assert states(await host.complete()) == one_out(GpuState.UNSEEN, 4)


async def test_a_worker_that_somebody_kills_blames_nobody(host: Watched):
    await host.sweep()
    worker = host.client._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    broken = await host.sweep()
    assert broken.broken_off
    assert states(await host.complete()) == [READ] * 8


async def test_one_refused_reading_disturbs_no_other(host: Watched, node: Path):
    await host.sweep()
    inject_fault(node, Returns(gpu=0, call=THERMO, code=4))
    gpu = (await host.sweep()).gpus[0]
    assert gpu.reading("temperature").knowledge is Knowledge.UNKNOWN
    assert gpu.reading("temperature").why == "NO_PERMISSION"
    assert gpu.number("clocks_reasons") == 1


@pytest.mark.parametrize("code", [9, 12, 18, 999])
async def test_a_driver_that_cannot_be_initialised_is_unavailable_and_tried_again(node: Path, code: int):
    inject_fault(node, Returns(call="nvmlInitWithFlags", code=code, until="reset"))
    host = watch(simulated(node), known=nvml_library.ADDRESSES)
    sweep = await host.sweep()
    assert sweep.unavailable is not None
    assert "nvmlInitWithFlags returned" in sweep.unavailable.reason
    assert states(sweep) == [GpuState.UNSEEN] * 8
    (node / "faults.jsonl").write_text("")
    assert states(await host.complete()) == [READ] * 8
    await host.client.close()


async def test_an_initialisation_that_hangs_is_unavailable_and_blames_no_gpu(node: Path):
    inject_fault(node, Hang(call="nvmlInitWithFlags"))
    settings = replace(SETTINGS, deadlines=Deadlines(call=0.3, slow=0.6, silence=20.0))
    host = watch(simulated(node), settings=settings, known=nvml_library.ADDRESSES)
    sweep = await host.sweep()
    assert sweep.unavailable is not None
    assert "nvmlInitWithFlags has not returned" in sweep.unavailable.reason
    assert states(sweep) == [GpuState.UNSEEN] * 8
    await host.client.close()


async def test_without_a_driver_the_library_is_not_found_and_nothing_is_raised():
    host = watch((sys.executable, "-m", "sickbay.host.nvml.worker"))
    sweep = await host.sweep()
    if sweep.unavailable is None:
        pytest.skip("this machine has an NVIDIA driver")
    assert "nvmlInitWithFlags returned" in sweep.unavailable.reason
    await host.client.close()


async def test_a_worker_program_that_does_not_exist_is_unavailable():
    host = watch(("/nonexistent/worker",))
    sweep = await host.sweep()
    assert sweep.unavailable is not None
    assert "could not be started" in sweep.unavailable.reason
    await host.client.close()


async def test_a_worker_that_speaks_another_language_is_given_up(tmp_path: Path):
    script = tmp_path / "worker.py"
    script.write_text("import socket, sys\nsocket.socket(fileno=int(sys.argv[1])).sendall(b'HTTP/1.1 200')\n")
    host = watch((sys.executable, str(script)))
    sweep = await host.sweep()
    assert sweep.unavailable is not None
    await host.client.close()


async def test_events_that_can_no_longer_be_waited_for_are_done_without():
    host = watch((sys.executable, deaf_worker.__file__))
    deaf = await host.until(lambda sweep: bool(sweep.deaf))
    assert "nvmlEventSetWait has not returned" in deaf.deaf
    # The second worker is as deaf as the first; the third is not asked for events any more, and stays.
    await host.until(lambda _: host.client._event_hangs == 2)
    await host.complete()
    worker = host.client._worker
    for _ in range(3):
        assert (await host.complete()).deaf
    assert host.client._worker is worker
    await host.client.close()


async def test_a_release_ends_the_worker_and_runs_out(node: Path):
    host = watch(simulated(node))
    await host.sweep()
    worker = host.client._worker
    assert worker is not None
    outcome = await host.client.release(600.0)
    assert outcome.verdict is Verdict.DONE
    assert not worker.is_running()
    sweep = await host.sweep()
    assert sweep.unavailable is not None
    assert sweep.unavailable.reason == "released to another user"
    await host.client.resume()
    assert states(await host.sweep()) == [READ] * 8
    await host.client.release(0.0)
    assert states(await host.sweep()) == [READ] * 8, "a release that ran out is over"
    await host.client.close()


async def test_corrected_errors_climb_while_all_else_keeps_its_interval(host: Watched, node: Path):
    first = await host.sweep()
    inject_fault(node, Ecc(gpu=0, corrected_per_s=17_000))
    before = await host.sweep()
    after = await host.sweep()
    assert (first.gpus[0].number("ecc_corrected_volatile"), before.complete, after.complete) == (
        0,
        True,
        True,
    )
    assert (after.gpus[0].number("ecc_corrected_volatile") or 0) > 0
    assert after.gpus[1].number("ecc_corrected_volatile") == 0


class TestADriverInC:
    """The same over a library that the loader loads, where a stall is a stall."""

    @pytest.fixture
    def library(self, tmp_path: Path) -> Path:
        return nvml_library.build(tmp_path)

    def command(self, library: Path, *, call: str = "", gpu: int = 0) -> tuple[str, ...]:
        stall = (f"STALL_CALL={call}", f"STALL_GPU={gpu}") if call else ()
        worker = (sys.executable, "-m", "sickbay.host.nvml.worker")
        return ("/usr/bin/env", f"LD_LIBRARY_PATH={library}", *stall, *worker)

    async def test_what_it_exports_is_read_and_what_it_lacks_is_unknown(self, library: Path):
        host = watch(self.command(library))
        sweep = await host.complete()
        assert [gpu.number("temperature") for gpu in sweep.gpus] == list(range(30, 38))
        assert sweep.gpus[0].reading("clocks_reasons").why.startswith("FUNCTION_NOT_FOUND")
        assert sweep.gpus[0].reading("serial").why == "UNREADABLE", "bytes that are no text"
        assert sweep.gpus[0].reading("remap_failure").knowledge is Knowledge.UNKNOWN
        await host.client.close()

    async def test_a_call_that_no_signal_ends_is_left_behind(self, library: Path):
        host = watch(self.command(library, call=THERMO, gpu=5), known=nvml_library.ADDRESSES)
        broken = await host.sweep()
        assert broken.gpus[5].state is HANGS
        after = await host.complete()
        assert states(after) == one_out(HANGS, 5)
        assert [gpu.number("temperature") for gpu in after.gpus if gpu.slot != 5] == [
            30 + slot for slot in range(8) if slot != 5
        ]
        (stuck,) = host.client._left._workers
        assert stuck.is_running(), "SIGTERM does not end it, and nobody waited for it to"
        outcome = await host.client.release(60.0)
        assert outcome.verdict is Verdict.UNKNOWN
        os.kill(stuck.pid, signal.SIGKILL)
        await until(lambda: not stuck.is_running())
        await host.client.close()

    async def test_workers_that_hang_in_the_driver_do_not_pile_up(self, library: Path):
        settings = replace(
            SETTINGS, deadlines=Deadlines(call=0.3, slow=0.5, silence=20.0), most_left_behind=2
        )
        host = watch(self.command(library, call="nvmlInitWithFlags"), settings=settings)
        full = await host.until(
            lambda sweep: sweep.unavailable is not None and "no more are started" in sweep.unavailable.reason
        )
        assert full.unavailable is not None
        assert full.unavailable.reason.startswith("2 workers hang in the driver")
        for stuck in host.client._left._workers:
            os.kill(stuck.pid, signal.SIGKILL)
        await host.client.close()

    async def test_a_hang_before_any_address_is_known_is_left_out_by_its_index(self, library: Path):
        command = self.command(library, call="nvmlDeviceGetHandleByIndex", gpu=2)
        settings = replace(SETTINGS, deadlines=Deadlines(call=1.0, slow=1.5, silence=20.0))
        host = watch(command, settings=settings)
        broken = await host.sweep()
        assert [gpu.subject.name for gpu in broken.gpus if gpu.state is HANGS] == ["nvml index 2"]
        after = await host.complete()
        assert sum(gpu.state is READ for gpu in after.gpus) == 7
        for stuck in host.client._left._workers:
            os.kill(stuck.pid, signal.SIGKILL)
        await host.client.close()
