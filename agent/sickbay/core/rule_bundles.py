"""Rule sets as they travel: the texts of every layer's files, named by a digest of what they say.

The texts travel, not what was understood of them: whoever receives them checks them with its own loader, so a
version that does not know a kind of signal refuses the set instead of running half of it.
"""

import hashlib
import re
from dataclasses import dataclass

MOST_FILES = 1_000
MOST_BYTES = 8 * 1024 * 1024
"""Of all texts together. The built-in set has 120 kB; a message of the stream holds 4 MiB, deflated."""

MOST_LAYERS = 50

OWN = "own"
"""Stands for a digest where a node is to run the rules of its own files."""

_NAME = re.compile(r"(?:platforms/)?[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.ya?ml")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """One file. `name` is its path inside its layer."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLayer:
    """The files of one layer. `origin` is the folder that they were read from, for messages only."""

    origin: str
    files: tuple[RuleFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBundle:
    """All layers, lowest first; the first is the built-in one."""

    layers: tuple[RuleLayer, ...]

    @property
    def digest(self) -> str:
        """Names the texts: SHA-256 over every name and text with its length, in hexadecimal."""
        said = hashlib.sha256()
        for index, layer in enumerate(self.layers):
            for file in sorted(layer.files, key=lambda each: each.name):
                for part in (str(index), file.name, file.text):
                    raw = part.encode()
                    said.update(b"%d:" % len(raw))
                    said.update(raw)
        return said.hexdigest()

    @property
    def wrong(self) -> str:
        """What makes the set unfit to travel or to be kept; empty when nothing does."""
        files = [file for layer in self.layers for file in layer.files]
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            return f"{len(self.layers)} layers; 1 to {MOST_LAYERS} can be handed out"
        if len(files) > MOST_FILES:
            return f"{len(files)} files; at most {MOST_FILES} can be handed out"
        if (size := sum(len(file.text.encode()) for file in files)) > MOST_BYTES:
            return f"{size} bytes; at most {MOST_BYTES} can be handed out"
        for layer in self.layers:
            names = [file.name for file in layer.files]
            if len(set(names)) < len(names):
                return f"two files of one name in {layer.origin}"
            for name in names:
                if not _NAME.fullmatch(name):
                    return (
                        f"the file name {name!r} in {layer.origin}; letters, digits, '.', '_' and '-' can "
                        "be handed out, ending in .yaml or .yml"
                    )
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetOffer:
    """A set that a coordinator hands to an agent.

    `bundle` None with an empty digest: run your own files. `unreadable` says what kept the texts from being
    unpacked; they cannot be used then.
    """

    digest: str
    version: int = 0
    bundle: RuleBundle | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesReport:
    """Which rules an agent runs, and since when by its own clock (Unix seconds).

    `takes`: whether it takes sets from the coordinator. `running` is empty while it runs its own files.
    `refused` names the last set that it could not use, `problems` why. `rules_digest` names the rules as
    they were understood, whichever files they came from.
    """

    takes: bool = False
    running: str = ""
    version: int = 0
    since: float = 0.0
    refused: str = ""
    problems: tuple[str, ...] = ()
    rules_digest: str = ""


NO_REPORT = RulesReport()
"""Of an agent that has not said."""
