"""Each slot of the host: what the driver lists there, what the PCI bus shows, and what used to be there."""

from sickbay.core.devices import Gpu, Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.host.pci_devices import PciView
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE

_BUS = "pci"
_NOT_ASKED = frozenset({GpuState.UNSEEN, GpuState.MISSED})


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `gpu_presence` a slot that has, or had, a GPU by any of the three. None while a sweep broke off."""
    if sweep.broken_off:
        return ()
    return tuple(_of(sweep, known, pci) for pci in _slots(sweep, known))


def _slots(sweep: Sweep, known: Known) -> list[str]:
    listed = {gpu.pci for gpu in sweep.gpus if gpu.pci}
    on_bus = _seen_on(known.kernel.pci) if known.kernel.pci is not None else set()
    expected = {gpu.pci for gpu in known.baseline.gpus} if known.baseline is not None else set()
    return sorted(listed | on_bus | expected)


def _seen_on(bus: PciView) -> set[str]:
    """Slots where a GPU is or was, those of virtual machines too: what was said of them has to end."""
    return {gpu.pci for gpu in bus.gpus} | set(bus.gone)


def _of(sweep: Sweep, known: Known, pci: str) -> Signal:
    before = known.baseline.by_pci(pci) if known.baseline is not None else None
    now = sweep.by_pci(pci)
    on_bus = known.kernel.pci.by_pci(pci) if known.kernel.pci is not None else None
    is_ours = on_bus is not None and not on_bus.is_passed_on
    uuid = now.uuid if now is not None and now.state is GpuState.READ else ""
    fields: dict[str, FieldValue] = {
        "expected": None if known.baseline is None else before is not None,
        "on_bus": None if known.kernel.pci is None else is_ours,
        "listed": _listed(sweep, now),
        "driver": None if on_bus is None else on_bus.driver,
        "replaced": _replaced(before, uuid),
        "uuid_before": before.uuid if before is not None else None,
        "uuid": uuid or None,
    }
    sources = (SOURCE,) if known.kernel.pci is None else (SOURCE, _BUS)
    return Signal(
        kind="gpu_presence", subject=_subject(pci, now, before), at=sweep.at, fields=fields, sources=sources
    )


def _listed(sweep: Sweep, gpu: GpuSweep | None) -> bool | None:
    """Whether the driver lists the GPU; unknown where nobody was asked, or one GPU has no address yet."""
    if sweep.unavailable is not None:
        return None
    if gpu is not None:
        return None if gpu.state in _NOT_ASKED else gpu.state is not GpuState.ABSENT
    here = sum(one.state is not GpuState.ABSENT for one in sweep.gpus)
    is_told_apart = all(one.pci for one in sweep.gpus) and sweep.count is not None and sweep.count <= here
    return False if is_told_apart else None


def _replaced(before: Gpu | None, uuid: str) -> bool | None:
    if before is None or not before.uuid or not uuid:
        return None
    return before.uuid != uuid


def _subject(pci: str, now: GpuSweep | None, before: Gpu | None) -> Subject:
    uuid = (now.uuid if now is not None else "") or (before.uuid if before is not None else "")
    return Subject(scope=Scope.GPU, gpu_uuid=uuid, pci=pci)
