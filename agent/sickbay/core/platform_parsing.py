"""Platform profiles out of plain mappings, with every problem told at once and its place in the file."""

import re
from collections.abc import Sequence

from sickbay.core.field_reading import Entry, FieldReader
from sickbay.core.platforms import NVLINK_VERSIONS, PlatformProfile, Platforms
from sickbay.core.problems import Problem, one_of

MOST_NUMBERS = {
    "nvlinks": 64,
    "c2c_links": 64,
    "pcie_gen": 8,
    "pcie_width": 32,
    "power": 10_000,
    "gpu_max": 150,
    "memory_max": 150,
    "gpus": 64,
    "ports": 128,
}
"""Each field that holds a whole number, and the most that is no slip of the pen."""

_KEYS = ("id", "name", "devices", "nvlink_version", "port_rate", *MOST_NUMBERS)

_DEVICE = re.compile(r"[0-9a-f]{4}(?::[0-9a-f]{4})?")
_DEVICE_FORM = 'a PCI device id in quotes, "2330", or with the subsystem id, "2236:149d"; lower case'
MOST_RATE = 10_000.0


def parse_platforms(entries: Sequence[Entry]) -> tuple[Platforms, tuple[Problem, ...]]:
    """The profiles, and what is wrong with the entries. With any problem the profiles are not to be used."""
    by_device: dict[str, PlatformProfile] = {}
    problems: list[Problem] = []
    for entry in entries:
        reader = FieldReader.of(entry)
        profile = _profile(reader)
        for index, device in enumerate(_devices(reader)):
            known = by_device.setdefault(device, profile)
            if known is not profile:
                _taken(reader, index, device, known)
        problems += reader.problems
    return Platforms(by_device=by_device), tuple(problems)


def _profile(reader: FieldReader) -> PlatformProfile:
    reader.allow(_KEYS)
    numbers = {key: _number(reader, key, most) for key, most in MOST_NUMBERS.items()}
    return PlatformProfile(
        id=reader.text("id"),
        name=reader.text("name"),
        nvlink_version=_nvlink_version(reader),
        port_rate=_rate(reader),
        **numbers,
    )


def _number(reader: FieldReader, key: str, most: int) -> int | None:
    return reader.integer(key, most=most) if reader.has(key) else None


def _nvlink_version(reader: FieldReader) -> int | None:
    """Written as people say it, `"4.0"`; kept as NVML numbers it."""
    if not reader.has("nvlink_version"):
        return None
    written = str(reader.fields["nvlink_version"])
    if written not in NVLINK_VERSIONS:
        reader.wrong("nvlink_version", one_of(NVLINK_VERSIONS, written))
    return NVLINK_VERSIONS.get(written)


def _rate(reader: FieldReader) -> float | None:
    if not reader.has("port_rate"):
        return None
    rate = reader.fields["port_rate"]
    if isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate <= MOST_RATE:
        return float(rate)
    reader.wrong("port_rate", "Gb/s of one port, such as 400")
    return None


def _devices(reader: FieldReader) -> tuple[str, ...]:
    devices = reader.fields.get("devices")
    if not isinstance(devices, list) or not devices:
        reader.wrong("devices", f"a list of at least one: {_DEVICE_FORM}")
        return ()
    for index, device in enumerate(devices):
        if not isinstance(device, str) or _DEVICE.fullmatch(device) is None:
            place = reader.locate(("devices", index))
            reader.problems.append(Problem(place=place, found=repr(device), expected=_DEVICE_FORM))
    return tuple(device for device in devices if isinstance(device, str))


def _taken(reader: FieldReader, index: int, device: str, known: PlatformProfile) -> None:
    found = f"the device {device!r}, which the platform {known.id!r} has"
    expected = f"each device once; to change what is expected of it, write `id: {known.id}`"
    place = reader.locate(("devices", index))
    reader.problems.append(Problem(place=place, found=found, expected=expected))
