"""Sweeps as values: one healthy GPU of eighteen links, changed by whatever a test is about."""

from types import MappingProxyType

from sickbay.core.devices import Gpu, Inventory
from sickbay.core.instants import Instant
from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.readings import GpuState, GpuSweep, Hang, Sweep, Unavailable, Value

PCI = "0000:1b:00"
UUID = "GPU-1b"
START = Instant(mono=1000.0, wall=1_700_000_000.0)

HEALTHY: dict[str, Value] = {
    "uuid": UUID,
    "name": "NVIDIA H100 80GB HBM3",
    "serial": "1650523001122",
    "vbios": "96.00.89.00.01",
    "pci_device_id": "0x233010DE",
    "memory_bytes": 85520809984,
    "nvlink_count": 18,
    "slowdown_at": 87,
    "temperature": 33,
    "hbm_temperature": 41,
    "clocks_reasons": 1,
    "ecc_corrected_volatile": 0,
    "ecc_uncorrected_volatile": 0,
    "ecc_corrected_aggregate": 7,
    "ecc_uncorrected_aggregate": 0,
    "remapped_correctable": 0,
    "remapped_uncorrectable": 0,
    "remap_pending": 0,
    "remap_failure": 0,
    "recovery_action": 0,
    "nvlink_states": (1,) * 18,
}

BASELINE = Inventory(gpus=(Gpu(uuid=UUID, pci=PCI, slot=0), Gpu(uuid="GPU-43", pci="0000:43:00", slot=1)))


def gpu(*, codes: dict[str, int] | None = None, pci: str = PCI, slot: int = 0, **values: Value) -> GpuSweep:
    """A GPU that answered: healthy but for `values`, and for `codes` in the place of values."""
    refused = codes or {}
    known = {name: value for name, value in {**HEALTHY, **values}.items() if name not in refused}
    return GpuSweep(
        pci=pci,
        slot=slot,
        state=GpuState.READ,
        values=MappingProxyType(known),
        codes=MappingProxyType(refused),
        uuid=UUID,
    )


def gpu_in(state: GpuState, *, because: str = "", hang: Hang | None = None, code: int = 0) -> GpuSweep:
    """The same GPU in another state, with nothing read of it."""
    return GpuSweep(pci=PCI, slot=0, state=state, because=because, hang=hang, code=code, uuid=UUID)


def sweep(*gpus: GpuSweep, after: float = 0.0, broken_off: str = "", deaf: str = "") -> Sweep:
    """A sweep of these GPUs, `after` seconds."""
    return Sweep(at=START.later(after), gpus=gpus, count=len(gpus), broken_off=broken_off, deaf=deaf)


def unavailable(reason: str, *gpus: GpuSweep) -> Sweep:
    """A sweep in which nothing could be asked."""
    return Sweep(at=START, gpus=gpus, unavailable=Unavailable(reason=reason, retry_in=1.0))


def only(signals: tuple[Signal, ...]) -> Signal:
    """The one signal there is, which the catalogue declares."""
    (signal,) = signals
    assert is_declared(signal)
    return signal
