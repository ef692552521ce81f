"""A host as it is when one thing about it is well, ill or not to be seen: what its files then say."""

from itertools import count

from tests.support.host_tree import HostTree

from sickbay.monitors.services import FABRIC_MANAGER

GIB = 1024**2
"""In kB, as /proc/meminfo counts."""
FABRIC = "sys/bus/pci/drivers/nvidia-nvswitch/0000:c5:00.0"


def memory(
    tree: HostTree, *, available: int = 900 * GIB, poisoned: int = 0, waiting: str | None = "0.00"
) -> None:
    lines = (
        f"MemTotal:       {1024 * GIB} kB",
        f"MemAvailable:   {available} kB",
        "SwapTotal:       0 kB",
        "SwapFree:        0 kB",
        f"HardwareCorrupted:     {poisoned} kB",
        "HugePages_Total:       0",
    )
    tree.write("proc/meminfo", "\n".join(lines))
    if waiting is not None:
        full = f"full avg10=0.00 avg60={waiting} avg300=0.00 total=7"
        tree.write("proc/pressure/memory", f"some avg10=0.00 avg60=99.00 avg300=0.00 total=9\n{full}")


def no_meminfo(tree: HostTree) -> None:
    (tree.folder / "proc/meminfo").unlink(missing_ok=True)


def no_pressure(tree: HostTree) -> None:
    memory(tree, waiting=None)
    (tree.folder / "proc/pressure/memory").unlink(missing_ok=True)


def module(tree: HostTree, *, corrected: object = 0, uncorrected: object = 0) -> None:
    dimm = "sys/devices/system/edac/mc/mc0/dimm3"
    tree.write("sys/devices/system/edac/mc/mc0/ce_noinfo_count", 0)
    tree.write("sys/devices/system/edac/mc/mc0/ue_noinfo_count", 0)
    tree.write(f"{dimm}/dimm_label", "CPU_SrcID#0_MC#0_Chan#1_DIMM#0")
    tree.write(f"{dimm}/dimm_ce_count", corrected)
    tree.write(f"{dimm}/dimm_ue_count", uncorrected)


def more_errors(tree: HostTree) -> None:
    counter = tree.folder / "sys/devices/system/edac/mc/mc0/dimm3/dimm_ce_count"
    module(tree, corrected=int(counter.read_text()) + 1000)


def cpus(
    tree: HostTree, *, load: str = "3.00", online: str = "0-3", io: str = "0.00", throttled: object = 0
) -> None:
    tree.write("proc/loadavg", f"{load} {load} {load} 1/96 7669")
    tree.write("proc/pressure/io", f"full avg10=0.00 avg60={io} avg300=0.00 total=7")
    tree.write("sys/devices/system/cpu/online", online)
    tree.write("sys/devices/system/cpu/present", "0-3")
    tree.write("sys/devices/system/cpu/smt/control", "on")
    for cpu in range(4):
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        tree.write(f"{folder}/topology/physical_package_id", 0)
        tree.write(f"{folder}/thermal_throttle/package_throttle_count", throttled)
        tree.write(f"{folder}/thermal_throttle/package_throttle_total_time_ms", throttled)


def no_load(tree: HostTree) -> None:
    (tree.folder / "proc/loadavg").unlink(missing_ok=True)


def hotter(tree: HostTree) -> None:
    counter = tree.folder / "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_total_time_ms"
    cpus(tree, throttled=int(counter.read_text()) + 20_000)


starts = count(1)


def service(tree: HostTree, unit: str, *, up: bool = True, enabled: bool = True) -> None:
    """A unit as systemd shows it; each call with `up` is another start."""
    for folder in ("run/systemd/system", "run/systemd/units", "etc/systemd/system/multi-user.target.wants"):
        (tree.folder / folder).mkdir(parents=True, exist_ok=True)
    tree.write(f"usr/lib/systemd/system/{unit}", "[Service]")
    wanted = tree.folder / "etc/systemd/system/multi-user.target.wants" / unit
    link = tree.folder / "run/systemd/units" / f"invocation:{unit}"
    wanted.unlink(missing_ok=True)
    link.unlink(missing_ok=True)
    if enabled:
        wanted.symlink_to(tree.folder / "usr/lib/systemd/system" / unit)
    if up:
        link.symlink_to(f"{next(starts):032x}")


def no_units(tree: HostTree) -> None:
    units = tree.folder / "run/systemd/units"
    for link in units.iterdir():
        link.unlink()
    units.rmdir()


def fabric(tree: HostTree, *, up: bool) -> None:
    (tree.folder / FABRIC).mkdir(parents=True, exist_ok=True)
    service(tree, FABRIC_MANAGER, up=up)


MODULES = ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_peermem", "nouveau")


def modules(tree: HostTree, *loaded: str, taint: object = 0) -> None:
    for name in MODULES:
        if (tree.folder / "sys/module" / name).exists():
            tree.take_out(f"sys/module/{name}")
    for name in loaded:
        tree.write(f"sys/module/{name}/initstate", "live")
    (tree.folder / "sys/module").mkdir(parents=True, exist_ok=True)
    device = "sys/bus/pci/devices/0000:1b:00.0"
    tree.write(f"{device}/vendor", "0x10de")
    tree.write(f"{device}/class", "0x030200")
    tree.write(f"{device}/device", "0x2330")
    tree.write("sys/class/infiniband/mlx5_0/node_type", "1: CA")
    tree.write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15")
    tree.write("proc/sys/kernel/tainted", taint)


def all_modules(tree: HostTree, *but: str, **marks: object) -> None:
    modules(tree, *(name for name in MODULES if name not in {"nouveau", *but}), **marks)


def no_modules(tree: HostTree) -> None:
    tree.take_out("sys/module")


def processes(tree: HostTree, state: str = "S", *, where: str = "0", load: str = "9.00") -> None:
    tree.write("proc/loadavg", f"{load} 9.00 9.00 1/96 7669")
    stat = f"42 (train (v2)) {state} 1 42 42 0 -1 4194304 0 0 0 0 17 3 0 0 20 0 9 0 12345 0 0"
    tree.write("proc/42/task/42/stat", stat)
    tree.write("proc/42/task/42/wchan", where)
    files = tree.folder / "proc/42/fd"
    files.mkdir(exist_ok=True)


def holding_a_gpu(tree: HostTree) -> None:
    processes(tree, "D")
    link = tree.folder / "proc/42/fd/3"
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/nvidia0")


def out_of_sight(tree: HostTree) -> None:
    """A process in state D of another user."""
    processes(tree, "D")
    tree.take_out("proc/42/fd")
