"""Where a host speaks of itself. Readers take it as an argument, so a fixture tree is a host, too."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRoot:
    """The trees in which a host speaks of itself: sysfs(5), proc(5), /run, /etc and /dev."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    run: Path = Path("/run")
    etc: Path = Path("/etc")
    dev: Path = Path("/dev")

    @classmethod
    def under(cls, folder: Path) -> "HostRoot":
        """The same trees in a folder: `folder/sys`, `folder/proc` and so on."""
        return cls(
            sys=folder / "sys",
            proc=folder / "proc",
            run=folder / "run",
            etc=folder / "etc",
            dev=folder / "dev",
        )


REAL_HOST = HostRoot()
"""The machine that this process runs on."""
