"""The hosts that can be simulated by name: one file a kind in the folder `profiles` beside this module."""

from pathlib import Path

USUAL = "h100x8"
"""What is simulated where nobody chooses."""

_FOLDER = Path(__file__).parent / "profiles"
_FILES = (".yaml", ".yml", ".json")


class UnknownProfileError(ValueError):
    """Nobody knows a host of that name; the message lists those that there are."""


def profile_names() -> tuple[str, ...]:
    """Every name, in alphabetical order."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def profile_file(chosen: str) -> Path:
    """The file of a host by its name, or a file of one's own, such as `sickbay-agent --profile` writes.

    Raises:
        UnknownProfileError: when it is neither.
    """
    if chosen in profile_names():
        return _FOLDER / f"{chosen}.yaml"
    if "/" in chosen or chosen.endswith(_FILES):
        return Path(chosen)
    msg = f"{chosen!r} is no simulated host; there are {', '.join(profile_names())}, or give a file"
    raise UnknownProfileError(msg)
