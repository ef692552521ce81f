"""Whether services run, from the files that systemd keeps of them: nobody is asked, and nothing is started.

For each unit that is active systemd keeps a link in /run/systemd/units, `invocation:<unit>`, whose target is
the id of that start; journald reads it to name the unit of a message (systemd since version 237, unit.c,
`unit_export_invocation_id`). The link goes when the unit stops or fails, and changes when it is started anew,
so that a loop of restarts shows. The other ways were weighed and left: `systemctl show` costs a fork and 8 ms
of processor a look, a library for D-Bus 1 to 2 MB here, and both wait for a systemd that may be stuck.
What is given up is systemd's word for how a unit failed; `systemctl status` has it for the person who looks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.host_root import HostRoot
from sickbay.host.kernel_files import content_if_any, names_in

_LINKS = "systemd/units"
_FOLDERS = ("systemd/system",)
_CGROUPS = ("fs/cgroup/system.slice", "fs/cgroup/systemd/system.slice", "fs/cgroup/unified/system.slice")
"""Cgroup version 2, and version 1 with systemd's own hierarchy (legacy, hybrid)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUnit:
    """One unit that is to start with the host.

    `invocation` is the id of its last start, empty when it is down. `has_processes` is None where its cgroup
    cannot be seen; False while systemd waits to start it again.
    """

    name: str
    invocation: str = ""
    has_processes: bool | None = None

    @property
    def is_up(self) -> bool:
        """Whether it runs, or is about to: a unit that takes long to start counts."""
        return bool(self.invocation) and self.has_processes is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesReading:
    """The units that are enabled, by name; `switches` is the number of NVSwitches that the driver holds.

    None is enabled where systemd does not run: in a container, or under another init.
    """

    units: tuple[ServiceUnit, ...] = ()
    switches: int = 0
    imex_peers: int = 0


def read_services(root: HostRoot, names: Sequence[str]) -> ServicesReading:
    """What is enabled of `names`, and how it is.

    Raises:
        OSError: systemd runs, and its units cannot be seen.
    """
    if not (root.run / "systemd/system").is_dir():  # As sd_booted(3) tells.
        return ServicesReading()
    (root.run / _LINKS).stat()
    enabled = _enabled(root)
    return ServicesReading(
        units=tuple(_unit(root, name) for name in names if name in enabled),
        switches=len(names_in(root.sys / "bus/pci/drivers/nvidia-nvswitch", "0")),
        imex_peers=_imex_peers(root.etc / "nvidia-imex/nodes_config.cfg"),
    )


def _enabled(root: HostRoot) -> frozenset[str]:
    """Units that another one wants or requires, as `systemctl enable` arranges it, less those masked.

    A link that leads nowhere is left of a package that was removed.
    """
    folders = [base / folder for base in (root.etc, root.run) for folder in _FOLDERS]
    wanted = {
        link.name
        for folder in folders
        for kind in names_in(folder)
        if kind.endswith((".wants", ".requires"))
        for link in _links(folder / kind)
        if link.exists()
    }
    return frozenset(wanted - {name for folder in folders for name in _masked(folder, wanted)})


def _links(folder: Path) -> Iterable[Path]:
    return (folder / name for name in names_in(folder) if name.endswith(".service"))


def _masked(folder: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if _target(folder / name) == "/dev/null"]


def _unit(root: HostRoot, name: str) -> ServiceUnit:
    return ServiceUnit(
        name=name,
        invocation=_target(root.run / _LINKS / f"invocation:{name}"),
        has_processes=_has_processes(root.sys, name),
    )


def _has_processes(sys: Path, name: str) -> bool | None:
    """`cgroup.events` counts all below (cgroup-v2.rst); version 1 only has the list of one group's own."""
    for slices in _CGROUPS:
        if (events := content_if_any(sys / slices / name / "cgroup.events")) is not None:
            return "populated 1" in events
    listed = content_if_any(sys / _CGROUPS[1] / name / "cgroup.procs")
    return None if listed is None else bool(listed)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # There is none.
        return ""


def _imex_peers(config: Path) -> int:
    """The nodes that the IMEX domain is made of: an address a line (NVIDIA IMEX guide, nodes_config.cfg)."""
    lines = (content_if_any(config) or "").splitlines()
    return sum(bool(line.strip()) and not line.lstrip().startswith(("#", ";")) for line in lines)
