"""What a kind of GPU, and the node around it, should be: the yardstick of monitors that compare.

A platform is told by the PCI device id (and, where one id stands for several boards, the subsystem id) of its
GPUs, never by a part of a name. What a profile does not say is None: nothing is then expected, and nothing is
found missing. The profiles themselves are data: rules/platforms/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType

NVLINK_VERSIONS: Mapping[str, int] = MappingProxyType(
    {"1.0": 1, "2.0": 2, "2.2": 3, "3.0": 4, "3.1": 5, "4.0": 6, "5.0": 7, "6.0": 8},
)
"""How people write an NVLink version -> the number that NVML gives it (NVML_NVLINK_VERSION_* of nvml.h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformProfile:
    """What is expected of one GPU of a kind, and of a node that holds such GPUs. None: not said.

    `nvlinks` carry traffic on a healthy board, of NVML's version number `nvlink_version` (NVLINK_VERSIONS);
    `c2c_links` lead to a Grace CPU. `pcie_gen` and `pcie_width` are the link's under load. `power` is the
    board's default limit in watts, `gpu_max` and `memory_max` its highest operating temperatures in Celsius.
    `gpus`, `ports` (InfiniBand or RoCE, of compute and storage) and `port_rate` (Gb/s) are the node's.
    """

    id: str = ""
    name: str = ""
    nvlinks: int | None = None
    nvlink_version: int | None = None
    c2c_links: int | None = None
    pcie_gen: int | None = None
    pcie_width: int | None = None
    power: int | None = None
    gpu_max: int | None = None
    memory_max: int | None = None
    gpus: int | None = None
    ports: int | None = None
    port_rate: float | None = None


UNKNOWN_PLATFORM = PlatformProfile()
"""Of a GPU that no profile lists, nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """Every profile, by the PCI device id in four lower-case hexadecimal digits.

    A board that shares its device id with another stands under `device:subsystem`, as in `2236:149d`.
    """

    by_device: Mapping[str, PlatformProfile] = field(default_factory=lambda: MappingProxyType({}))
    _agreed: Mapping[str, PlatformProfile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find once what the boards of each device id agree in: every monitor asks at every sweep."""
        boards: dict[str, list[PlatformProfile]] = {}
        for key, profile in self.by_device.items():
            boards.setdefault(key.partition(":")[0], []).append(profile)
        agreed = {device: _agreed(profiles) for device, profiles in boards.items()}
        object.__setattr__(self, "_agreed", MappingProxyType(agreed))

    def of(self, pci_device_id: str, subsystem_id: str = "") -> PlatformProfile:
        """The profile of a GPU; both ids as NVML gives them, the vendor last: `0x233010DE`.

        Of a device id that stands for several boards, while the subsystem id is not known (empty, or 0), only
        what holds for each of them is expected.
        """
        device, subsystem = _digits(pci_device_id), _digits(subsystem_id)
        if not subsystem.strip("0"):
            return self._agreed.get(device, UNKNOWN_PLATFORM)
        exact = self.by_device.get(f"{device}:{subsystem}")
        return exact or self.by_device.get(device, UNKNOWN_PLATFORM)


NO_PLATFORMS = Platforms()
"""Nothing is known of any platform."""


def describe(profile: PlatformProfile) -> tuple[tuple[str, str], ...]:
    """What a profile expects, for people: a name and a value with its unit, in the order of its fields."""
    return tuple(
        (each.name, _shown(each.name, value))
        for each in fields(profile)
        if (value := getattr(profile, each.name)) not in {None, ""}
    )


_UNITS = {"power": " W", "gpu_max": " C", "memory_max": " C", "port_rate": " Gb/s", "pcie_width": " lanes"}


def _shown(name: str, value: float | str) -> str:
    if name == "nvlink_version":
        return next((text for text, number in NVLINK_VERSIONS.items() if number == value), str(value))
    return (f"{value:g}" if isinstance(value, float) else str(value)) + _UNITS.get(name, "")


def _digits(pci_id: str) -> str:
    return pci_id.lower().removeprefix("0x")[:4]


def _agreed(boards: Sequence[PlatformProfile]) -> PlatformProfile:
    """What all of these, of which there is at least one, say alike."""
    first, *others = boards
    if not others:
        return first
    return PlatformProfile(
        **{
            each.name: getattr(first, each.name)
            for each in fields(PlatformProfile)
            if all(getattr(other, each.name) == getattr(first, each.name) for other in others)
        },
    )
