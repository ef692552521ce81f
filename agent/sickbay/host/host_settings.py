"""What a site may say of how its hosts are watched: the section `host` of the agent's configuration."""

import msgspec

from sickbay.host.config_files import Seconds

LONGEST_MOUNT_ANSWER = 20.0
"""Seconds; looks at network mounts are further apart than this."""


class HostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the host itself is watched, apart from its GPUs.

    enabled: false to leave everything but the GPUs and the kernel log alone.
    jitter: by how much of an interval (0 to 0.5) looks are spread, so that a fleet does not look in step.
    mount_answer: how long a network mount may take to say how full it is.
    ignored_mounts: mount points that are not looked at.
    """

    enabled: bool = True
    jitter: float = 0.1
    mount_answer: Seconds = Seconds(5)
    ignored_mounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        if not 0.0 <= self.jitter <= 0.5:  # noqa: PLR2004 - beyond half, looks could meet
            raise ValueError("jitter: a share from 0 to 0.5")
        if not 0.0 < self.mount_answer <= LONGEST_MOUNT_ANSWER:
            raise ValueError(f"mount_answer: at most {LONGEST_MOUNT_ANSWER:g}s")


USUAL_SETTINGS = HostSettings()
"""What holds where a site says nothing."""
