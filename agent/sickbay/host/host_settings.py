"""What a site may say of how its hosts are watched: the section `host` of the agent's configuration."""

import re

import msgspec

from sickbay.host.config_files import Seconds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LEAST_EVERY = 1.0

LONGEST_MOUNT_ANSWER = 20.0
"""Seconds; looks at network mounts are further apart than this."""


class PluginSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check of the site's own: any program that ends as monitoring plugins do.

    name: under which its condition and its readings are known.
    command: the program and its arguments, run without a shell, as the agent's own user.
    every: how often.
    deadline: how long it may take; then it is killed, with all that it started.
    """

    name: str
    command: tuple[str, ...]
    every: Seconds = Seconds(60)
    deadline: Seconds = Seconds(10)

    def __post_init__(self) -> None:
        """Refuse what could not be run, or would run without pause."""
        if _NAME.fullmatch(self.name) is None:
            raise ValueError("name: letters, digits, dots, dashes and underscores")
        if not self.command or not self.command[0]:
            raise ValueError("command: a program and its arguments")
        if self.every < _LEAST_EVERY:
            raise ValueError(f"every: at least {_LEAST_EVERY:g}s")
        if self.deadline <= 0:
            raise ValueError("deadline: a span of time")


class HostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the host itself is watched, apart from its GPUs.

    enabled: false to look at the GPUs and the kernel log alone; plugins run nevertheless.
    jitter: by how much of an interval (0 to 0.5) looks are spread, so that a fleet does not look in step.
    mount_answer: how long a network mount may take to say how full it is.
    ignored_mounts: mount points that are not looked at.
    plugins: checks of the site's own.
    """

    enabled: bool = True
    jitter: float = 0.1
    mount_answer: Seconds = Seconds(5)
    ignored_mounts: tuple[str, ...] = ()
    plugins: tuple[PluginSettings, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be kept."""
        if not 0.0 <= self.jitter <= 0.5:  # noqa: PLR2004 - beyond half, looks could meet
            raise ValueError("jitter: a share from 0 to 0.5")
        if not 0.0 < self.mount_answer <= LONGEST_MOUNT_ANSWER:
            raise ValueError(f"mount_answer: at most {LONGEST_MOUNT_ANSWER:g}s")
        names = [plugin.name for plugin in self.plugins]
        if len({*names}) < len(names):
            raise ValueError("plugins: each with a name of its own")


USUAL_SETTINGS = HostSettings()
"""What holds where a site says nothing."""
