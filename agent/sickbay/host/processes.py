"""Who holds the GPUs, from /proc alone: no driver call, and nothing that a stuck process can block.

`/proc/<pid>/cmdline` and `maps` are never read here: both take the address space's lock, which a process
stuck in the driver may hold for ever.
"""

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_HELD = "/dev/nvidia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process with open files of the driver. `state` is the letter of proc(5); D cannot be killed."""

    pid: int
    name: str
    state: str
    waiting_in: str
    devices: tuple[str, ...]


def holders(proc: Path = _PROC, prefix: str = _HELD) -> tuple[Holder, ...]:
    """Processes with an open file whose path begins with `prefix`, by process id.

    Processes that we may not look into, or that end meanwhile, are left out.
    """
    found = []
    for folder in proc.iterdir():
        if folder.name.isdecimal() and (devices := held(folder / "fd", prefix)):
            name, state = _name_and_state(folder)
            found.append(
                Holder(
                    pid=int(folder.name),
                    name=name,
                    state=state,
                    waiting_in=_first_line(folder / "wchan"),
                    devices=devices,
                ),
            )
    return tuple(sorted(found, key=lambda holder: holder.pid))


def held(fds: Path, prefix: str) -> tuple[str, ...] | None:
    """What the links in `/proc/<pid>/fd` lead to, as far as it begins with `prefix`.

    None: the process ended, or is not ours to look into.
    """
    try:
        names = list(fds.iterdir())
    except OSError:
        return None
    return tuple(sorted({target for fd in names if (target := _target(fd)).startswith(prefix)}))


def _target(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except OSError:  # Closed meanwhile.
        return ""


def _name_and_state(folder: Path) -> tuple[str, str]:
    """From /proc/<pid>/stat, `7194 (python 3) D 1 …`: the name may hold spaces and parentheses."""
    line = _first_line(folder / "stat")
    name = line[line.find("(") + 1 : line.rfind(")")]
    rest = line[line.rfind(")") + 1 :].split()
    return name, rest[0] if rest else "?"


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").partition("\n")[0]
    except OSError:
        return ""
