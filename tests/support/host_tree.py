"""A host's own files in a folder, in the form in which kernels write them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.host_root import HostRoot

ROOT_MOUNT = "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw"


@dataclass(frozen=True)
class HostTree:
    """Writes below `folder`. A host has no ports, and mounts its root, until told otherwise."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "sys" / "block").mkdir(parents=True, exist_ok=True)
        self.mounts()

    @property
    def root(self) -> HostRoot:
        return HostRoot.under(self.folder)

    def write(self, path: str, text: object) -> Path:
        """A file below the folder, as one line."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
        return file

    def mounts(self, *lines: str) -> None:
        """What is mounted, in the form of mountinfo, the root first."""
        self.write("proc/self/mountinfo", "\n".join((ROOT_MOUNT, *lines)))

    def port(
        self,
        device: str = "mlx5_0",
        *,
        state: str = "4: ACTIVE",
        physical: str = "5: LinkUp",
        rate: str = "400 Gb/sec (4X NDR)",
        link_layer: str = "InfiniBand",
        model: tuple[str, str] = ("MT4129", "MT_0000000838"),
    ) -> None:
        """A port of an adapter, as mlx5 shows it."""
        ib = f"sys/class/infiniband/{device}"
        self.write(f"{ib}/hca_type", model[0])
        self.write(f"{ib}/board_id", model[1])
        self.write(f"{ib}/ports/1/state", state)
        self.write(f"{ib}/ports/1/phys_state", physical)
        self.write(f"{ib}/ports/1/rate", rate)
        self.write(f"{ib}/ports/1/link_layer", link_layer)

    def port_down(self, device: str = "mlx5_0") -> None:
        """The cable is out."""
        self.port(device, state="1: DOWN", physical="2: Polling", rate="10 Gb/sec (4X SDR)")

    def roce(
        self, device: str = "mlx5_0", *, up: bool = True, flags: str = "0x1003", **interface: int
    ) -> None:
        """A RoCE port with its interface; mlx5 calls it Disabled for whatever reason it is down."""
        self.port(
            device,
            state="4: ACTIVE" if up else "1: DOWN",
            physical="5: LinkUp" if up else "3: Disabled",
            rate="400 Gb/sec (4X NDR)" if up else "40 Gb/sec (4X QDR)",
            link_layer="Ethernet",
        )
        net = f"sys/class/infiniband/{device}/device/net/eth-{device}"
        self.write(f"{net}/flags", flags)
        self.write(f"{net}/dev_port", 0)
        self.write(f"{net}/carrier_down_count", interface.get("carrier_down_count", 1))
        self.write(f"{net}/statistics/rx_crc_errors", interface.get("rx_crc_errors", 0))

    def counters(self, device: str = "mlx5_0", **values: int) -> None:
        """The error counters of a port."""
        for name, value in values.items():
            self.write(f"sys/class/infiniband/{device}/ports/1/counters/{name}", value)

    def disk(
        self,
        name: str = "nvme0n1",
        *,
        state: str | None = "live",
        number: str = "259:0",
        partitions: Iterable[tuple[str, str]] = (),
        io_errors: str | None = None,
        removable: int = 0,
    ) -> None:
        """A disk, with partitions by name and number."""
        block = f"sys/block/{name}"
        self.write(f"{block}/dev", number)
        self.write(f"{block}/removable", removable)
        (self.folder / block / "device").mkdir(exist_ok=True)
        (self.folder / block / "holders").mkdir(exist_ok=True)
        if state is not None:
            self.write(f"{block}/device/state", state)
        if io_errors is not None:
            self.write(f"{block}/device/ioerr_cnt", io_errors)
        for partition, its_number in partitions:
            self.write(f"{block}/{partition}/dev", its_number)

    def array(self, name: str = "md0", *, state: str = "clean", missing: int | None = 0) -> None:
        """An md array; `missing` None for a level without redundancy."""
        self.write(f"sys/block/{name}/md/array_state", state)
        if missing is not None:
            self.write(f"sys/block/{name}/md/degraded", missing)

    def take_out(self, path: str) -> None:
        """Something is not there any more."""
        folder = self.folder / path
        for file in sorted(folder.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()
        folder.rmdir()
