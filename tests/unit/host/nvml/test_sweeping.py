"""From a worker's answer to what the agent sees."""

from types import MappingProxyType

from sickbay.core.instants import Instant
from sickbay.host.nvml.exclusions import Backoff, Cause, Exclusions
from sickbay.host.nvml.messages import Happened, SweptGpu
from sickbay.host.nvml.readings import GpuState
from sickbay.host.nvml.roll import Roll
from sickbay.host.nvml.sweeping import event_of, latencies, muster, state_of

A, B = "0000:1b:00", "0000:43:00"
ROLL = Roll(targets=(A, B), uuids=MappingProxyType({A: "GPU-1b"}))
NOBODY = Exclusions(backoff=Backoff(first=60.0, longest=3600.0))


def answer(target: str, code: int = 0) -> SweptGpu:
    return SweptGpu(target=target, pci=target, code=code, values={}, codes={})


def test_a_gpu_answers_is_left_out_or_is_otherwise_accounted_for():
    out = NOBODY.leave_out(B, cause=Cause.LOST, because="GPU_IS_LOST", now=0.0)
    gpus = muster(ROLL, out, asked={A: answer(A)}, otherwise=GpuState.MISSED, because="")
    assert [(gpu.pci, gpu.slot, gpu.state) for gpu in gpus] == [(A, 0, GpuState.READ), (B, 1, GpuState.LOST)]
    rest = muster(ROLL, NOBODY, otherwise=GpuState.UNSEEN, because="released")
    assert {(gpu.state, gpu.because) for gpu in rest} == {(GpuState.UNSEEN, "released")}


def test_a_gpu_that_tells_no_uuid_keeps_the_one_it_had():
    gpus = muster(ROLL, NOBODY, asked={A: answer(A, 15)}, otherwise=GpuState.MISSED, because="")
    assert (gpus[0].uuid, gpus[0].because, gpus[0].code) == ("GPU-1b", "GPU_IS_LOST", 15)


def test_a_gpu_that_is_only_known_for_being_left_out_is_in_the_sweep():
    out = NOBODY.leave_out("0000:99:00", cause=Cause.TOLD, because="Xid 79", now=0.0)
    assert [gpu.pci for gpu in muster(ROLL, out, otherwise=GpuState.READ, because="")] == [A, B, "0000:99:00"]


def test_an_index_stands_for_a_gpu_that_has_told_no_address():
    (gpu,) = muster(Roll(targets=("#3",)), NOBODY, otherwise=GpuState.MISSED, because="")
    assert (gpu.pci, gpu.slot, gpu.subject.name) == ("", 3, "nvml index 3")


def test_only_some_codes_say_anything_of_the_gpu():
    states = {code: state_of(code) for code in (0, 15, 6, 28, 4, 16, 999)}
    assert states == {
        0: GpuState.READ,
        15: GpuState.LOST,
        6: GpuState.ABSENT,
        28: GpuState.ABSENT,
        4: GpuState.UNSEEN,
        16: GpuState.UNSEEN,
        999: GpuState.UNSEEN,
    }


def test_an_event_is_placed_on_both_clocks_and_an_unlisted_type_keeps_its_bit():
    happened = Happened(
        pci=A, type=0x20000, data=1, gpu_instance=0xFFFFFFFF, compute_instance=2, at_ns=90_000_000_000
    )
    event = event_of(happened, now=Instant(mono=100.0, wall=5000.0), roll=ROLL)
    assert event.at == Instant(mono=90.0, wall=4990.0)
    assert (event.type, event.gpu_uuid, event.sequence) == ("0x20000", "GPU-1b", 90_000_000_000)
    assert (event.gpu_instance, event.compute_instance) == (None, 2)


def test_latencies_are_in_seconds():
    calls = latencies({"nvmlDeviceGetUUID": (4, 8_000_000, 5_000_000), "nvmlEventSetCreate": (0, 0, 0)})
    assert list(calls) == ["nvmlDeviceGetUUID"]
    call = calls["nvmlDeviceGetUUID"]
    assert (call.count, call.mean, call.longest) == (4, 0.002, 0.005)
