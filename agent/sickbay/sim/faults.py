"""What each fault does: to a reading, to the driver's events and to the kernel log. Pure.

A fault is a record as sickbay.sim.scenario writes it: `fault` names it, `at` is seconds since boot, `gpu` the
slot, `until` either `reboot`, `reset`, `never` or the seconds that it lasts.
"""

from __future__ import annotations

from sickbay.sim.reading_effects import EFFECTS, down, ramp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Record = Mapping[str, Any]
    Effect = Callable[[Any, Record, float], Any]

GPU_UNAVAILABLE = 0x4000
RECOVERY_ACTION_CHANGED = 0x8000
XID_EVENT = 0x8
DOUBLE_BIT_ECC = 0x2

_HW_SLOWDOWN = 0x8
_HW_THERMAL = 0x40
_HW_POWER_BRAKE = 0x80

# The driver's own words, open-gpu-kernel-modules 595: nvrm prints these for Xid 154.
_ACTION_WORDS = (
    "None",
    "GPU Reset Required",
    "Node Reboot Required",
    "Drain P2P",
    "Drain and Reset",
    "Recover IMEX Domain",
)

_XID_WORDS: Mapping[int, str] = {
    13: "pid=4242, name=python, Graphics SM Warp Exception on (GPC 0, TPC 0, SM 0): Out Of Range Address",
    31: "pid=4242, name=python, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS faulted @ 0x7f00_0",
    43: "pid=4242, name=python, Ch 00000008, engmask 00000101",
    45: "pid=4242, name=python, Ch 00000008",
    48: "pid='<unknown>', name=<unknown>, An uncorrectable double bit error (DBE) has been detected on GPU",
    63: "Row Remapper: New row marked for remapping, reset gpu to activate.",
    64: "Row Remapper: Failed to remap row, reset gpu and check health.",
    74: "pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 0(0x10000, 0x0, 0x0, 0x0, "
    "0x0, 0x0, 0x0)",
    79: "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
    94: "Contained: CE User Channel (0x9). physAddr: 0x00000000_00001000. RST: No, D-RST: No",
    95: "Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No",
    119: "pid=4242, name=nvidia-smi, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected "
    "function 76 (GSP_RM_CONTROL) (0x2080 0x4).",
    120: "pid='<unknown>', name=<unknown>, GSP task exception: Unhandled (0x9)",
}


def is_active(record: Record, at: float) -> bool:
    """Whether a fault holds at `at` seconds since boot."""
    lasts = record["until"]
    began: float = record["at"]
    return began <= at and (isinstance(lasts, str) or at < began + float(lasts))


def reading(name: str, value: Any, active: Sequence[Record], at: float) -> Any:  # noqa: ANN401 - by reading
    """A reading under the faults that hold; `value` is what it would be without any."""
    for record in active:
        effect = _EFFECTS.get((record["fault"], name))
        if effect is not None:
            value = effect(value, record, at)
    return value


def clocks_under_heat(reasons: int, temperature: int, slowdown_at: int) -> int:
    """The hardware slows a GPU down from its board's threshold on."""
    return reasons | _HW_SLOWDOWN | _HW_THERMAL if temperature >= slowdown_at else reasons


def events_of(record: Record) -> tuple[tuple[int, int], ...]:
    """The driver's events for a fault: (nvmlEventType bit, data)."""
    match record["fault"]:
        case "lost":
            return ((XID_EVENT, 79), (GPU_UNAVAILABLE, 0))
        case "xid":
            return ((XID_EVENT, record["code"]),)
        case "ecc" if record["uncorrected"]:
            return ((DOUBLE_BIT_ECC, 0), (XID_EVENT, 48))
        case "recovery_action":
            return ((RECOVERY_ACTION_CHANGED, record["value"]), (XID_EVENT, 154))
        case _:
            return ()


def kernel_lines(record: Record, pci: str) -> tuple[str, ...]:
    """What the driver prints, at level error and facility kern, for a fault of the GPU at `pci`.

    Forms: NVIDIA's Xid catalogue and the driver's source (open-gpu-kernel-modules 595).
    """
    lines: list[str] = []
    match record["fault"]:
        case "lost":
            lines = [_xid(pci, 79), f"NVRM: GPU {pci}.0: GPU has fallen off the bus."]
        case "xid":
            lines = [_xid(pci, record["code"], record["message"])]
        case "ecc" if record["uncorrected"]:
            lines = [_xid(pci, 48)]
        case "recovery_action":
            words = f"changed from {_action(0)} to {_action(record['value'])}"
            lines = [_xid(pci, 154, f"GPU recovery action {words}")]
        case "row_remap" if record["failure"] or record["pending"]:
            lines = [_xid(pci, 64 if record["failure"] else 63)]
    return tuple(lines)


def _xid(pci: str, code: int, words: str = "") -> str:
    text = words or _XID_WORDS.get(code, "pid='<unknown>', name=<unknown>, simulated")
    return f"NVRM: Xid (PCI:{pci}): {code}, {text}"


def _action(number: int) -> str:
    words = _ACTION_WORDS[number] if number < len(_ACTION_WORDS) else "Unknown"
    return f"{number:#x} ({words})"


def _climb(value: int, record: Record, at: float) -> int:
    rate, began = float(record["corrected_per_s"]), float(record["at"])
    return value + int(rate * (at - began))


def _count_time(value: int, record: Record, at: float) -> int:
    return value + int(1e9 * (at - float(record["at"])))


def _plus(name: str) -> Effect:
    return lambda value, record, _at: value + record[name]


def _or(name: str) -> Effect:
    return lambda value, record, _at: int(bool(value) or record[name])


_EFFECTS: Mapping[tuple[str, str], Effect] = {
    ("ecc", "ecc_corrected_volatile"): _climb,
    ("ecc", "ecc_corrected_aggregate"): _climb,
    ("ecc", "dram_corrected"): _climb,
    ("ecc", "dram_corrected_aggregate"): _climb,
    ("ecc", "ecc_uncorrected_volatile"): _plus("uncorrected"),
    ("ecc", "ecc_uncorrected_aggregate"): _plus("uncorrected"),
    ("ecc", "dram_uncorrected"): _plus("uncorrected"),
    ("ecc", "dram_uncorrected_aggregate"): _plus("uncorrected"),
    ("temperature", "temperature"): ramp,
    ("nvlink_down", "nvlink_states"): down,
    ("recovery_action", "recovery_action"): lambda _value, record, _at: record["value"],
    ("power_brake", "clocks_reasons"): lambda value, _record, _at: value | _HW_SLOWDOWN | _HW_POWER_BRAKE,
    ("power_brake", "hw_power_brake_ns"): _count_time,
    ("row_remap", "remapped_correctable"): _plus("correctable"),
    ("row_remap", "remapped_uncorrectable"): _plus("uncorrectable"),
    ("row_remap", "remap_pending"): _or("pending"),
    ("row_remap", "remap_failure"): _or("failure"),
    **EFFECTS,
}
