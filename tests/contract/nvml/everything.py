"""A GPU that tells every reading there is, each with a value of its own."""

from collections.abc import Mapping

import msgspec
from hypothesis import strategies as st

from sickbay.host.nvml.answers import ANSWERS, GROUP_OF, REMOTE_TYPES
from sickbay.host.nvml.fields import C2C_FIELDS, NVLINK_FIELDS
from sickbay.host.nvml.profile import GpuProfile, Profile, ProfileValue

PCI = ("0000:1b:00", "0000:43:00")
LINKS, C2C_LINKS = 4, 2

TEXTS: Mapping[str, str] = {
    "uuid": "GPU-6b1a0f0e-1b00-4c1d-9a51-5d8f5f0a1b00",
    "name": "NVIDIA Everything",
    "serial": "1650523001122",
    "vbios": "96.00.89.00.01",
    "pci_device_id": "0x233010DE",
    "pci_subsystem_id": "0x16C110DE",
    "inforom_version": "G520.0200.00.05",
    "fabric_cluster": "00ff7c80-0102-8384-fe00-00000000007f",
    # A byte of zero in front, and one that is no text: what pynvml's own attributes lose.
    "ib_guid": "00ff7c80fe000001",
    "chassis_serial": "1820325191117",
    "mig_profiles": "3g.40gb,1g.10gb",
}
FIXED: Mapping[str, ProfileValue] = {
    **TEXTS,
    "memory_bytes": 85520809984,
    "memory_total": 85520809984,
    "nvlink_count": LINKS,
    "c2c_links": C2C_LINKS,
    "mig_mode": 1,
    "mig_max_devices": 7,
    "mig_devices": 2,
    "compute_pids": (4242, 4243, 1),
    "compute_memory": (1 << 33, None, 0),
    "mps_pids": (77,),
}
"""What hangs together, and text."""

PER_LINK = {**dict.fromkeys([*NVLINK_FIELDS, REMOTE_TYPES], LINKS), **dict.fromkeys(C2C_FIELDS, C2C_LINKS)}
SIGNED = {"margin", "tlimit_shutdown", "tlimit_slowdown", "tlimit_memory", "tlimit_gpu"}
BYTES = {
    *("slot_number", "tray_index", "host_id", "peer_type", "fabric_state", "fabric_health_summary"),
}
FLAGS = {"inforom_valid"}
WIDE = {
    name for name in GROUP_OF if name.startswith(("memory_", "bar1_", "dram_", "sram_", "ecc_corrected"))
} - {
    "memory_max_at",
    "sram_threshold_exceeded",
    "memory_used",
}


def number(name: str) -> st.SearchStrategy[int]:
    """Any number that the member which carries this reading can hold."""
    if name in FLAGS:
        return st.integers(0, 1)
    if name in BYTES:
        return st.integers(0, 255)
    if name in SIGNED:
        return st.integers(-(2**31), 2**31 - 1)
    return st.integers(0, 2**63) if name in WIDE else st.integers(0, 2**31 - 1)


def values() -> st.SearchStrategy[dict[str, ProfileValue]]:
    """Every reading with some value that it can have."""
    free = {
        name: _links(name, PER_LINK[name]) if name in PER_LINK else number(name)
        for name in GROUP_OF
        if name not in FIXED
    }
    return st.fixed_dictionaries(free).map(lambda drawn: {**FIXED, **drawn})


def _links(name: str, count: int) -> st.SearchStrategy[tuple[int | None, ...]]:
    one = st.none() | number(name)
    return st.tuples(*([one] * count)).filter(any_known)


def any_known(links: tuple[int | None, ...]) -> bool:
    """Whether one link at least can tell."""
    return any(link is not None for link in links)


def distinct() -> dict[str, ProfileValue]:
    """Every reading with a value that no other has, as far as its member is wide enough."""
    made: dict[str, ProfileValue] = dict(FIXED)
    for place, name in enumerate(name for name in GROUP_OF if name not in FIXED):
        at = 1 if name in FLAGS else 10 + place if name not in SIGNED else -10 - place
        made[name] = tuple(at * 10 + link for link in range(PER_LINK[name])) if name in PER_LINK else at
    return made


def profile(
    told: Mapping[str, ProfileValue],
    *,
    failures: Mapping[str, str] | None = None,
    lacks: tuple[str, ...] = (),
    gpus: int = 1,
) -> Profile:
    """A host of such GPUs."""
    refused = dict(failures or {})
    known = {name: value for name, value in told.items() if name not in refused}
    one = GpuProfile(values=known, failures=refused)
    return Profile(
        about="every reading",
        driver_version="615.1",
        nvml_version="13.615.1",
        gpus=tuple(msgspec.structs.replace(one, pci=pci) for pci in PCI[:gpus]),
        lacks=lacks,
    )


def family(name: str) -> frozenset[str]:
    """The readings that one refusal may take along: those of the same call, and those that build on it."""
    builds_on = {
        "nvlink_count": {*NVLINK_FIELDS, REMOTE_TYPES},
        "c2c_links": set(C2C_FIELDS),
        "name": {"mig_devices", "mig_profiles"},
        "mig_mode": {"mig_devices", "mig_profiles"},
        "mig_mode_pending": {"mig_devices", "mig_profiles"},
        "mig_max_devices": {"mig_devices", "mig_profiles"},
        "memory_used": {"memory_bytes"},
        "memory_total": {"memory_bytes"},
        "memory_bytes": {"memory_total", "memory_used", "memory_reserved"},
    }
    same = next((names for names in ANSWERS if name in names), (name,))
    return frozenset({*same, *builds_on.get(name, set())})
