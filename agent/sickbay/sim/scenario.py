"""What shall go wrong on a simulated node, and when: a YAML file that people write.

```yaml
faults:
  - {at: 5s, gpu: 3, fault: lost}
  - {at: 20s, gpu: 0, fault: ecc, corrected_per_s: 17000, until: 60s}
  - {at: 30s, gpu: 1, fault: hang, call: nvmlDeviceGetTemperatureV}
  - {at: 40s, gpu: 2, fault: nvlink_errors, link: 4, crc_per_s: 200, until: 10m}
```

Faults, each with its keys: here what is announced by an event or a kernel line, or is about calls;
reading_faults.py has those that only show in what is read. What a board cannot tell, no fault makes it tell.

`at` counts from the node's boot. `until` is `reboot` (what is not said otherwise), `reset` (a GPU reset or a
reboot ends it), `never` (it is back after a reboot), or how long it lasts.
"""

from pathlib import Path
from typing import Any

import msgspec

from sickbay.core.instants import parse_duration
from sickbay.host.config_files import Seconds, load_config
from sickbay.sim.fault_base import ENDS, FaultBase
from sickbay.sim.nvml_calls import HANDLERS
from sickbay.sim.reading_faults import ReadingFault

_CALLS = sorted({name.rpartition("_v")[0] or name if name[-1].isdigit() else name for name in HANDLERS})


class _CallFault(FaultBase, frozen=True, kw_only=True):
    """A fault of one driver call, by its name in nvml.h without a version; no `gpu` means every GPU."""

    call: str

    def _check(self) -> None:
        if self.call not in _CALLS:
            raise ValueError(f"call: {self.call} is not simulated; there are {', '.join(_CALLS)}")


class Lost(FaultBase, frozen=True, kw_only=True, tag="lost"):
    """The GPU falls off the bus: every call says GPU_IS_LOST, the kernel log says Xid 79."""


class Missing(FaultBase, frozen=True, kw_only=True, tag="missing"):
    """The driver does not list the GPU; with `off_bus` the PCI bus does not show it either."""

    off_bus: bool = False


class Xid(FaultBase, frozen=True, kw_only=True, tag="xid"):
    """The driver reports an Xid, in the kernel log and as an event. `message` replaces the words after it."""

    code: int
    message: str = ""


class Hang(_CallFault, frozen=True, kw_only=True, tag="hang"):
    """A call does not return for as long as the fault lasts, or takes `seconds` each time."""

    seconds: Seconds | None = None


class Returns(_CallFault, frozen=True, kw_only=True, tag="returns"):
    """A call returns an nvmlReturn_t."""

    code: int


class Crash(_CallFault, frozen=True, kw_only=True, tag="crash"):
    """A call kills its process with SIGSEGV, as a broken driver library does."""


class Ecc(FaultBase, frozen=True, kw_only=True, tag="ecc"):
    """Memory errors: corrected ones at a rate, uncorrected ones at once (Xid 48)."""

    corrected_per_s: float = 0.0
    uncorrected: int = 0


class Temperature(FaultBase, frozen=True, kw_only=True, tag="temperature"):
    """The GPU heats (or cools) to `to` degrees Celsius over a time."""

    to: int
    over: Seconds = Seconds(0)


class NvlinkDown(FaultBase, frozen=True, kw_only=True, tag="nvlink_down"):
    """One NVLink is inactive."""

    link: int


class Recovery(FaultBase, frozen=True, kw_only=True, tag="recovery_action"):
    """The driver asks for a recovery action (NVML field 230, Xid 154)."""

    value: int


class PowerBrake(FaultBase, frozen=True, kw_only=True, tag="power_brake"):
    """The power brake is asserted from outside."""


class RowRemap(FaultBase, frozen=True, kw_only=True, tag="row_remap"):
    """Rows of memory are remapped, wait for it (Xid 63), or could not be (Xid 64)."""

    correctable: int = 0
    uncorrectable: int = 0
    pending: bool = False
    failure: bool = False


Fault = (
    Lost
    | Missing
    | Xid
    | Hang
    | Returns
    | Crash
    | Ecc
    | Temperature
    | NvlinkDown
    | Recovery
    | PowerBrake
    | RowRemap
    | ReadingFault
)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that shall go wrong."""

    about: str = ""
    faults: tuple[Fault, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """A scenario; RefusedError naming file, line and what was expected when it is none."""
    return load_config(path, Scenario)


def parse_fault(text: str) -> Fault:
    """A fault from one line of JSON, as `sickbay inject` takes it; ValueError saying what was expected."""
    try:
        fault: Fault = msgspec.json.decode(text, type=Fault, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return fault


def as_record(fault: Fault, *, at: float) -> dict[str, Any]:
    """The fault as the simulated driver reads it: spans in seconds, `at` from boot."""
    record: dict[str, Any] = msgspec.to_builtins(fault, enc_hook=float)
    until = fault.until if fault.until in ENDS else parse_duration(fault.until)
    record.update(at=at, until=until)
    return record


def _decoded(type_: type, value: object) -> object:
    if type_ is Seconds and isinstance(value, str):
        return Seconds(parse_duration(value))
    raise ValueError(f"expected a duration with its unit, such as 5s, got {value!r}")
