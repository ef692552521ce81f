"""A reading of one GPU as a signal of its kind: how every monitor of a sweep speaks. No monitor itself."""

from collections.abc import Iterator, Mapping, Sequence

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Knowledge, Sweep

SOURCE = "nvml"


def seen(sweep: Sweep) -> Iterator[GpuSweep]:
    """The GPUs of which a sweep says anything: one that was missed for another's sake says nothing."""
    return (gpu for gpu in sweep.gpus if gpu.state is not GpuState.MISSED)


def level(
    sweep: Sweep,
    gpu: GpuSweep,
    kind: str,
    fields: Mapping[str, FieldValue],
    *,
    of: Sequence[str] = (),
) -> tuple[Signal, ...]:
    """The signal of one GPU; none when every reading that it rests on is not applicable to the GPU.

    `of` names those readings. A field without a value is None, which is unknown.
    """
    if of and all(gpu.reading(name).knowledge is Knowledge.NOT_APPLICABLE for name in of):
        return ()
    return (Signal(kind=kind, subject=gpu.subject, at=sweep.at, fields=fields, sources=(SOURCE,)),)


def flag(number: int | None) -> bool | None:
    """A flag that NVML gives as a number."""
    return None if number is None else number != 0
