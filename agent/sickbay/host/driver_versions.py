"""Which NVIDIA driver the kernel has, and which library new processes would load: two files that can differ.

After an upgrade without a reboot the module in memory is the old one and the library on disk the new one.
Processes that run go on; every new one is refused (NVML_ERROR_LIB_RM_VERSION_MISMATCH, 18).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LIBRARY = "libnvidia-ml.so.1"
_FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu/nvidia/current",
        "/usr/lib/aarch64-linux-gnu/nvidia/current",
        "/run/nvidia/driver/usr/lib/x86_64-linux-gnu",
        "/run/nvidia/driver/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
    )
)
"""Where distributions, and NVIDIA's driver container, put the library."""

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_KERNEL_MODULE = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)")
"""`NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  …`, or of the open one
`NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  …`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverVersions:
    """`module` is empty when it is not known, as is `library`; `loaded` is whether the module is there."""

    loaded: bool
    module: str = ""
    library: str = ""


class DriverFiles:
    """The files that tell the versions."""

    def __init__(
        self,
        *,
        module: Path = Path("/sys/module/nvidia"),
        proc: Path = Path("/proc/driver/nvidia/version"),
        folders: Iterable[Path] = _FOLDERS,
    ) -> None:
        self._module = module
        self._proc = proc
        self._folders = tuple(folders)

    def look(self) -> DriverVersions | None:
        """The versions now; None where the kernel's modules cannot be read. Blocks, below 1 ms."""
        if not self._module.parent.is_dir():
            return None
        return DriverVersions(
            loaded=self._module.is_dir(), module=self._module_version(), library=self._library_version()
        )

    def _module_version(self) -> str:
        told = _VERSION.fullmatch(_text(self._module / "version"))
        if told is not None:
            return told[0]
        found = _KERNEL_MODULE.search(_text(self._proc))
        return found[1] if found is not None else ""

    def _library_version(self) -> str:
        """The version in the name of the file that the library is, in the first folder that has one."""
        for folder in self._folders:
            library = folder / _LIBRARY
            if library.exists():
                found = _VERSION.search(library.resolve().name.partition(".so.")[2])
                return found[0] if found is not None else ""
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
