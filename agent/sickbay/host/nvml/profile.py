"""What one host's driver answered, as a file: recorded from a sweep, or written by hand for the simulator.

A profile holds readings by the names of sickbay.host.nvml.catalogue and, for those without a value, the
return code by its name in nvml.h. Codes that come and go (GPU_IS_LOST) are no part of what a GPU is.
"""

from collections.abc import Mapping
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import msgspec

from sickbay.host.config_files import load_config
from sickbay.host.nvml.answers import GROUP_OF
from sickbay.host.nvml.catalogue import (
    NO_PERMISSION,
    RETURN_CODES,
    STABLE_CODES,
    VGPU_ECC_NOT_SUPPORTED,
    WANTED_EVENTS,
    describe_code,
)
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep

ProfileValue = int | float | str | tuple[int | None, ...]

_NAMES = frozenset(GROUP_OF)
_LASTING = STABLE_CODES | {NO_PERMISSION, VGPU_ECC_NOT_SUPPORTED}
"""Refusals that say what a host is, to whoever looks again with the same rights."""

_CODES = {name: code for code, name in RETURN_CODES.items()}


class CallProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a driver call took there, in microseconds."""

    count: int
    mean_us: float
    longest_us: float


class GpuProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One GPU. `pci` has the form `0000:1b:00`."""

    pci: str = ""
    values: dict[str, ProfileValue] = {}
    failures: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse readings and return codes that nobody has."""
        for name in (*self.values, *self.failures):
            if name not in _NAMES:
                raise ValueError(f"{name}: no reading; there are {', '.join(sorted(_NAMES))}")
        for code in self.failures.values():
            if code not in _CODES:
                raise ValueError(f"{code}: no return code of NVML without its prefix NVML_ERROR_")

    def over(self, defaults: "GpuProfile") -> "GpuProfile":
        """This GPU with everything that it does not say itself taken from `defaults`."""
        values = {name: value for name, value in defaults.values.items() if name not in self.failures}
        failures = {name: code for name, code in defaults.failures.items() if name not in self.values}
        return GpuProfile(
            pci=self.pci,
            values={**values, **self.values},
            failures={**failures, **self.failures},
        )


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One host.

    `lacks` are symbols of nvml.h that its driver is too old for: functions, and fields (`NVML_FI_…`).
    `recorded` is the day (YYYY-MM-DD) on which a real driver answered so; empty if none did.
    """

    about: str
    driver_version: str
    nvml_version: str
    gpus: tuple[GpuProfile, ...]
    recorded: str = ""
    supported_events: int = WANTED_EVENTS
    lacks: tuple[str, ...] = ()
    defaults: GpuProfile = GpuProfile()
    calls: dict[str, CallProfile] = {}

    def complete_gpus(self) -> tuple[GpuProfile, ...]:
        """Every GPU with the defaults filled in."""
        return tuple(gpu.over(self.defaults) for gpu in self.gpus)

    def for_simulation(self) -> Mapping[str, object]:
        """The same as plain values with return codes as numbers, for the simulated driver to read as JSON."""
        return {
            "about": self.about,
            "driver_version": self.driver_version,
            "nvml_version": self.nvml_version,
            "supported_events": self.supported_events,
            "lacks": self.lacks,
            "gpus": [
                {
                    "pci": gpu.pci,
                    "values": gpu.values,
                    "failures": {name: _CODES[code] for name, code in gpu.failures.items()},
                }
                for gpu in self.complete_gpus()
            ],
        }


def load_profile(path: Path) -> Profile:
    """A profile from YAML or JSON; RefusedError naming file and line when it is none."""
    return load_config(path, Profile)


def record_profile(sweep: Sweep, *, about: str, day: str) -> Profile:
    """What the driver answered in a sweep, as a profile. GPUs that did not answer are not in it."""
    return Profile(
        about=about,
        recorded=day,
        driver_version=sweep.driver_version,
        nvml_version=sweep.nvml_version,
        gpus=tuple(_recorded(gpu) for gpu in sweep.gpus if gpu.state is GpuState.READ),
        calls={
            name: CallProfile(
                count=call.count,
                mean_us=round(call.mean * 1e6, 1),
                longest_us=round(call.longest * 1e6, 1),
            )
            for name, call in sorted(sweep.calls.items())
        },
    )


def as_json(profile: Profile) -> bytes:
    """The profile as a file, for people and load_profile alike."""
    return msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n"


def renamed(profile: Profile, salt: str) -> Profile:
    """The same host with UUIDs and serial numbers made from `salt`: another host, or one fit to be shown."""
    gpus = tuple(
        GpuProfile(pci=gpu.pci, values={**gpu.values, **_names(gpu, salt)}, failures=gpu.failures)
        for gpu in profile.complete_gpus()
    )
    return msgspec.structs.replace(profile, gpus=gpus, defaults=GpuProfile())


def _names(gpu: GpuProfile, salt: str) -> dict[str, ProfileValue]:
    made = uuid5(NAMESPACE_OID, f"{salt}/{gpu.pci}")
    names: dict[str, ProfileValue] = {"uuid": f"GPU-{made}", "serial": f"{made.int % 10**13:013d}"}
    return {name: value for name, value in names.items() if name in gpu.values}


def _recorded(gpu: GpuSweep) -> GpuProfile:
    failures = {name: describe_code(code) for name, code in gpu.codes.items() if code in _LASTING}
    return GpuProfile(
        pci=gpu.pci,
        values=dict(gpu.values),
        failures={name: code for name, code in failures.items() if name in _NAMES},
    )
