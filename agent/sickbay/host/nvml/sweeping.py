"""From a worker's answer, and from what is left out, to the sweep that the agent sees. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sickbay.core.instants import Instant
from sickbay.host.nvml.catalogue import (
    EVENT_TYPES,
    GPU_IS_LOST,
    GPU_NOT_FOUND,
    NOT_FOUND,
    SUCCESS,
    describe_code,
)
from sickbay.host.nvml.exclusions import Exclusion, Exclusions
from sickbay.host.nvml.learnt import Learnt
from sickbay.host.nvml.messages import Happened, SweptGpu
from sickbay.host.nvml.readings import CallLatency, GpuState, GpuSweep, NvmlEvent, Value
from sickbay.host.nvml.roll import Roll

_NO_INSTANCE = 0xFFFFFFFF
"""gpuInstanceId and computeInstanceId of an event without MIG (nvml.h, nvmlEventData_t)."""

_NOTHING_LEARNT = Learnt()

_STATES = MappingProxyType(
    {
        SUCCESS: GpuState.READ,
        GPU_IS_LOST: GpuState.LOST,
        NOT_FOUND: GpuState.ABSENT,
        GPU_NOT_FOUND: GpuState.ABSENT,
    },
)


def address(target: str) -> str:
    """The PCI address of a target; empty for an index."""
    return "" if target.startswith("#") else target


def slot_of(target: str, targets: Iterable[str]) -> int:
    """A GPU's number among the targets: NVML's index, or its place in the order of PCI addresses."""
    if target.startswith("#"):
        return int(target[1:])
    return sorted(one for one in targets if not one.startswith("#")).index(target)


def state_of(code: int) -> GpuState:
    """What a return code for opening a GPU says of the GPU; most codes say nothing."""
    return _STATES.get(code, GpuState.UNSEEN)


def swept(answer: SweptGpu, slot: int, uuid: str, learnt: Mapping[str, int]) -> GpuSweep:
    """One GPU that was asked. `uuid` is the last one known, for a GPU that no longer says its own."""
    values: Mapping[str, Value] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer.values.items()
    }
    told = values.get("uuid")
    return GpuSweep(
        pci=answer.pci or address(answer.target),
        slot=slot,
        state=state_of(answer.code),
        because="" if answer.code == SUCCESS else describe_code(answer.code),
        code=answer.code,
        values=MappingProxyType(values),
        codes=MappingProxyType(answer.codes),
        uuid=told if isinstance(told, str) else uuid,
        learnt=learnt,
    )


def excluded(exclusion: Exclusion, slot: int, uuid: str, learnt: Mapping[str, int]) -> GpuSweep:
    """One GPU that is left out."""
    return GpuSweep(
        pci=address(exclusion.target),
        slot=slot,
        state=exclusion.state,
        because=exclusion.because,
        hang=exclusion.hang,
        uuid=uuid,
        learnt=learnt,
    )


def muster(
    roll: Roll,
    out: Exclusions,
    *,
    asked: Mapping[str, SweptGpu] = MappingProxyType({}),
    otherwise: GpuState,
    because: str,
    learnt: Learnt = _NOTHING_LEARNT,
) -> tuple[GpuSweep, ...]:
    """Every known GPU: as it answered, as it is left out, or else in state `otherwise` for a reason."""
    targets = roll.targets + tuple(target for target in out.by_target if target not in roll.targets)
    gpus = []
    for target in targets:
        slot, uuid, codes = slot_of(target, targets), roll.uuids.get(target, ""), learnt.of(target)
        if target in asked:
            gpus.append(swept(asked[target], slot, uuid, codes))
        elif target in out:
            gpus.append(excluded(out.by_target[target], slot, uuid, codes))
        else:
            pci = address(target)
            gpus.append(
                GpuSweep(pci=pci, slot=slot, state=otherwise, because=because, uuid=uuid, learnt=codes),
            )
    return tuple(gpus)


def event_of(happened: Happened, *, now: Instant, roll: Roll) -> NvmlEvent:
    """An event as the agent sees it; the wall time is what it was on this boot's other clock."""
    mono = happened.at_ns / 1e9
    pci = happened.pci or ""
    return NvmlEvent(
        pci=pci,
        type=EVENT_TYPES.get(happened.type, f"{happened.type:#x}"),
        data=happened.data,
        at=Instant(mono=mono, wall=now.wall - (now.mono - mono)),
        sequence=happened.at_ns,
        gpu_uuid=roll.uuids.get(pci, ""),
        gpu_instance=_instance(happened.gpu_instance),
        compute_instance=_instance(happened.compute_instance),
    )


def latencies(calls: Mapping[str, tuple[int, int, int]]) -> Mapping[str, CallLatency]:
    """The worker's (count, total ns, longest ns) in seconds."""
    return MappingProxyType(
        {
            name: CallLatency(count=count, mean=total / count / 1e9, longest=longest / 1e9)
            for name, (count, total, longest) in calls.items()
            if count > 0
        },
    )


def _instance(number: int) -> int | None:
    return None if number == _NO_INSTANCE else number
