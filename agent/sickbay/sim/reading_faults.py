"""Faults that nothing announces: they show in what is read of a GPU, and in no event and no kernel line.

A fault changes what a GPU can tell and nothing else: on a board that does not have a reading, nothing shows.
"""

from sickbay.host.config_files import Seconds
from sickbay.sim.fault_base import FaultBase

FABRIC_SHOWS = (
    "unhealthy",
    "limited_capacity",
    "degraded_bandwidth",
    "route_recovery",
    "route_unhealthy",
    "access_timeout_recovery",
    "incorrect_config",
    "in_progress",
    "failed",
)
"""How a fabric can be unwell."""


class PcieDegraded(FaultBase, frozen=True, kw_only=True, tag="pcie_degraded"):
    """The PCIe link comes up with fewer lanes (`width`) or in an older generation (`gen`)."""

    width: int | None = None
    gen: int | None = None

    def _check(self) -> None:
        super()._check()
        if self.width is None and self.gen is None:
            raise ValueError("pcie_degraded: say width, gen or both")


class NvlinkErrors(FaultBase, frozen=True, kw_only=True, tag="nvlink_errors"):
    """One NVLink counts errors, so many a second; `ber` is its bit error rate (NVLink 5), such as 1.0e-9.

    Boards up to NVLink 4 count replays, recoveries and checksum errors (crc); those of NVLink 5 recoveries,
    failed recoveries and data errors. What the board does not count is passed over.
    """

    link: int
    replays_per_s: float = 0.0
    recoveries_per_s: float = 0.0
    crc_per_s: float = 0.0
    data_errors_per_s: float = 0.0
    failed_recoveries_per_s: float = 0.0
    ber: float = 0.0


class FabricUnhealthy(FaultBase, frozen=True, kw_only=True, tag="fabric_unhealthy"):
    """The fabric of NVSwitches is unwell for this GPU; `shows` says how (FABRIC_SHOWS)."""

    shows: str = "unhealthy"

    def _check(self) -> None:
        super()._check()
        if self.shows not in FABRIC_SHOWS:
            raise ValueError(f"shows: one of {', '.join(FABRIC_SHOWS)}, got {self.shows}")


class MemoryHeld(FaultBase, frozen=True, kw_only=True, tag="memory_held"):
    """Memory stays in use after its process has died; with `pid: 0` no process is listed for it either."""

    bytes: int = 8 << 30
    pid: int = 4_194_303


class InforomCorrupt(FaultBase, frozen=True, kw_only=True, tag="inforom_corrupt"):
    """The checksums of the board's configuration memory are wrong. It is read hourly, and when asked for."""


class DriverMismatch(FaultBase, frozen=True, kw_only=True, tag="driver_mismatch"):
    """The driver's library on disk is of another version (`library`) than the loaded module.

    Whoever uses NVML already goes on; whoever begins is refused. Of the node: it names no GPU.
    """

    library: str = "999.99.99"

    def _check(self) -> None:
        if self.gpu is not None:
            raise ValueError("gpu: driver_mismatch is of the node, not of a GPU")


class PersistenceOff(FaultBase, frozen=True, kw_only=True, tag="persistence_off"):
    """Persistence mode is off."""


class SramThreshold(FaultBase, frozen=True, kw_only=True, tag="sram_threshold"):
    """So many uncorrectable errors in one bank of SRAM that the board is to be replaced."""

    errors: int = 5


class HbmHot(FaultBase, frozen=True, kw_only=True, tag="hbm_hot"):
    """The GPU's memory heats (or cools) to `to` degrees Celsius over a time."""

    to: int
    over: Seconds = Seconds(0)


class PowerLimit(FaultBase, frozen=True, kw_only=True, tag="power_limit"):
    """Somebody has lowered what the GPU may draw to `watts`."""

    watts: int


class GpuReplaced(FaultBase, frozen=True, kw_only=True, tag="gpu_replaced"):
    """Another GPU is in the slot: with `until: never` and a reboot, as the driver is asked for it but once.

    `uuid` is the new one's; empty for one that is made up.
    """

    uuid: str = ""


class C2cDown(FaultBase, frozen=True, kw_only=True, tag="c2c_down"):
    """One of the links between the GPU and its Grace CPU is down."""

    link: int


ReadingFault = (
    PcieDegraded
    | NvlinkErrors
    | FabricUnhealthy
    | MemoryHeld
    | InforomCorrupt
    | DriverMismatch
    | PersistenceOff
    | SramThreshold
    | HbmHot
    | PowerLimit
    | GpuReplaced
    | C2cDown
)
