"""Which boot of this host we are in: the first half of every event's identity."""

from pathlib import Path

from sickbay.core.ids import BootId

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A random UUID that the kernel makes at every boot (random(4)); containers see their host's."""


class BootIdUnknownError(Exception):
    """The boot cannot be named. Nothing that happened can then be told from what happened before a reboot."""


def read_boot_id(path: Path = BOOT_ID) -> BootId:
    """The id of the current boot.

    Raises:
        BootIdUnknownError: when the file cannot be read or is empty.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BootIdUnknownError(f"cannot read the boot id from {path}: {error}") from error
    if not text:
        raise BootIdUnknownError(f"{path} is empty; expected the UUID of this boot")
    return BootId(text)
