"""User names and passwords of BMCs, out of a file that nobody else can read.

Nothing here, and nothing that is raised here, shows what the file holds: not a value, not a line of it. It is
read anew at each login, so that a changed password needs no restart, and it is never put into an environment,
a command line or a log.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sickbay.core.ids import NodeName
from sickbay.core.problems import RefusedError
from sickbay.host.yaml_files import MOST_BYTES, YamlDocument, parse_yaml

_FORM = "default: {username: ..., password: ...}, and under nodes: the same by node where they differ"
_KEYS = {"username", "password"}


class CredentialsError(Exception):
    """No credentials can be had; says why, without any of their content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login. It does not show itself."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsFile:
    """Where they are. `by_systemd`: a credential that systemd handed to this service alone.

    systemd shows an access list as group permission in the mode, so only there may the group read.
    """

    path: Path
    by_systemd: bool = False

    def of(self, node: NodeName) -> Credentials:
        """The node's own login, or the default one.

        Raises:
            CredentialsError: the file is not there, not safe, not understood, or knows none for the node.
        """
        content = self._content()
        own = _entry(content.get("nodes"), node)
        login = own if own is not None else _entry(content, "default")
        if login is None:
            raise CredentialsError(f"{self.path}: neither a login of {node} nor a default one")
        username, password = login.get("username"), login.get("password")
        if not isinstance(username, str) or not isinstance(password, str) or set(login) != _KEYS:
            raise CredentialsError(f"{self.path}: a login is a text username and a text password (quoted)")
        return Credentials(username=username, password=password)

    def check(self) -> None:
        """Whether it can be used at all, before anybody waits for it.

        Raises:
            CredentialsError: as in `of`.
        """
        self._content()

    def _content(self) -> Mapping[str, object]:
        try:
            text = self._text()
        except OSError as error:
            raise CredentialsError(f"{self.path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise CredentialsError(f"{self.path} is no UTF-8") from None
        value = self._parsed(text).value
        if not isinstance(value, dict) or not set(value) <= {"default", "nodes"}:
            raise CredentialsError(f"{self.path}: expected {_FORM}")
        return value

    def _parsed(self, text: str) -> YamlDocument:
        try:
            return parse_yaml(text, file=str(self.path))
        except RefusedError as error:
            # Its words quote what was found, and that may be a password.
            lines = ", ".join(str(problem.place.line) for problem in error.problems)
            raise CredentialsError(f"{self.path} is no YAML that we understand, line {lines}") from None

    def _text(self) -> str:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            unsafe = self._unsafe(os.fstat(file.fileno()))
            if unsafe:
                raise CredentialsError(f"{self.path} {unsafe}")
            return file.read(MOST_BYTES).decode()

    def _unsafe(self, found: os.stat_result) -> str:
        """Why a file like this is not believed to be secret, or ours; empty when it is."""
        mode = stat.S_IMODE(found.st_mode)
        others = mode & (0o037 if self.by_systemd else 0o077)
        if not stat.S_ISREG(found.st_mode):
            return "is no plain file"
        if found.st_uid not in {0, os.geteuid()}:
            return f"belongs to user {found.st_uid}, not to us or root"
        return f"can be read or changed by others (mode {mode:04o}; chmod 600)" if others else ""


def _entry(content: object, name: str) -> Mapping[str, object] | None:
    """The login under a name; one that is there but no mapping is an empty one, which nobody accepts."""
    if not isinstance(content, Mapping) or name not in content:
        return None
    entry = content[name]
    return entry if isinstance(entry, Mapping) else {}
