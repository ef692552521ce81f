"""RDMA ports as sysfs shows them: `/sys/class/infiniband/<device>/ports/<number>`.

Source: Documentation/ABI/stable/sysfs-class-infiniband of the kernel. Each file that is read asks the
adapter's firmware, so mostly only `state` is read; the rest when that has changed, and now and then.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sickbay.host.host_root import HostRoot
from sickbay.host.kernel_files import content_if_any, names_in, number

ETHERNET = "Ethernet"

_WHOLE_EVERY = 10
"""Looks from one reading of everything to the next: a rate may change while the state does not, and an
adapter may come."""

_CODED = re.compile(r"\d+:\s*(\S.*)")  # `4: ACTIVE`, `5: LinkUp`
_RATE = re.compile(r"(\d+(?:\.\d+)?) Gb/sec")  # `400 Gb/sec (4X NDR)`, `2.5 Gb/sec (1X SDR)`
_IFF_UP = 0x1  # include/uapi/linux/if.h

COUNTERS = (
    "symbol_error",
    "link_error_recovery",
    "link_downed",
    "port_rcv_errors",
    "local_link_integrity_errors",
    "excessive_buffer_overrun_errors",
)
"""Counters of the port that mean a bad cable, connector or port. Discards and waits mean congestion."""

ROCE_COUNTERS = ("rx_icrc_encapsulated",)
"""Of hw_counters: RoCE packets whose checksum over the whole way is wrong. Lost or reordered packets are
left out: a congested network makes them, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One port. `rate` in Gb/s; None is what the kernel did not say.

    `disabled`: somebody has switched it off. `model` is equal on adapters that are made alike.
    """

    device: str
    number: int
    state: str | None
    physical: str | None = None
    rate: float | None = None
    link_layer: str = ""
    disabled: bool = False
    model: str = ""

    @property
    def name(self) -> str:
        """`mlx5_0/1`."""
        return f"{self.device}/{self.number}"

    @property
    def is_active(self) -> bool | None:
        """Whether it can carry traffic."""
        return None if self.state is None else self.state == "ACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortCounters:
    """The counters of one port, by the names of their files; one that the port does not have is left out."""

    device: str
    number: int
    link_layer: str
    counters: Mapping[str, int]

    @property
    def name(self) -> str:
        """`mlx5_0/1`."""
        return f"{self.device}/{self.number}"


@dataclass(slots=True)
class PortReader:
    """Reads every port's state, and what else there is to know of it when that is due."""

    root: HostRoot
    _places: list[tuple[str, str, int]] = field(default_factory=list)
    _states: dict[str, str | None] = field(default_factory=dict)
    _known: tuple[Port, ...] = ()
    _looks: int = 0

    def __call__(self) -> tuple[Port, ...]:
        """Every port of a physical adapter; none on a host without RDMA.

        Raises:
            OSError: when they cannot be read.
        """
        is_odd = not self._places or None in self._states.values()
        is_whole = is_odd or self._looks % _WHOLE_EVERY == 0
        self._looks += 1
        if is_whole:
            self._places = _ports(self.root)
        states = {folder: content_if_any(f"{folder}/state") for folder, _, _ in self._places}
        if is_whole or states != self._states:
            self._states = states
            self._known = tuple(self._port(*place) for place in self._places)
        return self._known

    def _port(self, folder: str, device: str, port: int) -> Port:
        return _read_port(folder, device, port, _word(self._states[folder]))


def read_counters(root: HostRoot) -> tuple[PortCounters, ...]:
    """The error counters of every port of a physical adapter.

    Raises:
        OSError: when they cannot be read.
    """
    return tuple(_counters(folder, device, port) for folder, device, port in _ports(root))


def _ports(root: HostRoot) -> list[tuple[str, str, int]]:
    """Folder, device and number of each port. Virtual functions are left out: their port is the adapter's."""
    base = str(root.sys / "class" / "infiniband")
    try:
        devices = sorted(os.listdir(base))  # noqa: PTH208 - names, not paths, and a third of the cost
    except FileNotFoundError:
        return []
    return [
        (f"{base}/{device}/ports/{port}", device, int(port))
        for device in devices
        if not os.path.lexists(f"{base}/{device}/device/physfn")
        for port in names_in(f"{base}/{device}/ports")
        if port.isdecimal()
    ]


def _read_port(folder: str, device: str, port: int, state: str | None) -> Port:
    physical = _word(content_if_any(f"{folder}/phys_state"))
    link_layer = content_if_any(f"{folder}/link_layer") or ""
    rate = _RATE.match(content_if_any(f"{folder}/rate") or "")
    above = Path(folder).parent.parent
    model = (content_if_any(above / "hca_type") or "", content_if_any(above / "board_id") or "")
    return Port(
        device=device,
        number=port,
        state=state,
        physical=physical,
        rate=float(rate[1]) if rate else None,
        link_layer=link_layer,
        disabled=_is_disabled(folder, port, physical, link_layer),
        model=" ".join(model).strip(),
    )


def _is_disabled(folder: str, port: int, physical: str | None, link_layer: str) -> bool:
    """mlx5 calls every Ethernet port without a carrier Disabled, so there the interface's own flag tells."""
    if link_layer != ETHERNET:
        return physical == "Disabled"
    interface = _interface(folder, port)
    flags = content_if_any(f"{interface}/flags") if interface else None
    return flags is not None and not int(flags, 16) & _IFF_UP


def _interface(folder: str, port: int) -> str:
    """The network interface of a RoCE port; empty when it cannot be told."""
    base = f"{Path(folder).parent.parent}/device/net"
    names = names_in(base)
    ours = [name for name in names if number(f"{base}/{name}/dev_port") == port - 1]
    chosen = ours if len(ours) == 1 else list(names)
    return f"{base}/{chosen[0]}" if len(chosen) == 1 else ""


def _counters(folder: str, device: str, port: int) -> PortCounters:
    link_layer = content_if_any(f"{folder}/link_layer") or ""
    counters = _numbers(f"{folder}/counters", COUNTERS) if link_layer != ETHERNET else {}
    if link_layer == ETHERNET:
        counters = _numbers(f"{folder}/hw_counters", ROCE_COUNTERS)
        if interface := _interface(folder, port):
            counters |= _numbers(interface, ("carrier_down_count",))
            counters |= _numbers(f"{interface}/statistics", ("rx_crc_errors",))
    return PortCounters(device=device, number=port, link_layer=link_layer, counters=counters)


def _numbers(folder: str, names: Iterable[str]) -> dict[str, int]:
    """The named files as numbers; those that say nothing are left out."""
    found = {name: number(f"{folder}/{name}") for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _word(line: str | None) -> str | None:
    coded = _CODED.fullmatch(line or "")
    return coded[1] if coded else line or None
