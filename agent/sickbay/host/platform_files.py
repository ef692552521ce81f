"""Platform profiles from files: the built-in ones, with a site's own laid over them, field by field.

They lie beside the rules, in the folder `platforms` of each layer of rules that is a directory. A set with
any problem is refused whole.
"""

from dataclasses import dataclass
from pathlib import Path

from sickbay.core.platform_parsing import parse_platforms
from sickbay.core.platforms import Platforms
from sickbay.core.problems import RefusedError
from sickbay.core.rule_layers import merge_layers
from sickbay.host.entry_files import EntryReading
from sickbay.host.rule_files import builtin_rules_dir

PLATFORMS = "platforms"
"""The folder's name inside a layer of rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlatforms:
    """Checked profiles, and the files that they came from."""

    platforms: Platforms
    files: tuple[Path, ...]


def load_platforms(*sites: Path, builtin: Path | None = None) -> LoadedPlatforms:
    """The built-in profiles with those of `sites` laid over them in turn; arguments as for `load_rules`.

    A layer without such a folder says nothing of platforms.

    Raises:
        RefusedError: with every problem of every file.
    """
    reading = EntryReading()
    layers = [
        [entry for file in reading.files_of(folder) for entry in reading.entries(file)]
        for layer in (builtin or builtin_rules_dir(), *sites)
        if (folder := layer / PLATFORMS).is_dir()
    ]
    merged, wrong_layers = merge_layers(layers)
    platforms, wrong_fields = parse_platforms(merged)
    problems = [*reading.problems, *wrong_layers, *wrong_fields]
    if problems:
        raise RefusedError(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
    return LoadedPlatforms(platforms=platforms, files=tuple(reading.files))
