"""Rules, remedies and platform profiles of the same layers as one set: loaded, copied and laid down together.

A set is what travels from a coordinator to its agents, and what a program goes back to when the files of the
moment are refused. It is whole or it is not used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sickbay.core.platforms import Platforms
from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.core.remedies import Remedy
from sickbay.core.rule_bundles import RuleBundle, RuleFile, RuleLayer
from sickbay.core.rules import RuleSet
from sickbay.host.entry_files import EntryReading
from sickbay.host.platform_files import PLATFORMS, load_platforms
from sickbay.host.rule_files import builtin_rules_dir, load_rules
from sickbay.host.yaml_files import text_of

_READ_TWICE = 3
"""Attempts to read files that somebody writes meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSet:
    """A checked set. `files` says how many files it came from."""

    rules: RuleSet
    remedies: Mapping[str, Remedy]
    platforms: Platforms
    files: int = 0


def load_set(*sites: Path, builtin: Path | None = None) -> LoadedSet:
    """The built-in layer with each of `sites` over it, checked.

    Raises:
        RefusedError: with the problems of rules, remedies and platforms alike.
    """
    problems: list[Problem] = []
    try:
        loaded = load_rules(*sites, builtin=builtin)
    except RefusedError as refused:
        problems += refused.problems
    try:
        platforms = load_platforms(*sites, builtin=builtin)
    except RefusedError as refused:
        problems += refused.problems
    if problems:
        raise RefusedError(problems)
    return LoadedSet(
        rules=loaded.rules,
        remedies=loaded.remedies,
        platforms=platforms.platforms,
        files=len(loaded.files) + len(platforms.files),
    )


def load_with_texts(*sites: Path, builtin: Path | None = None) -> tuple[LoadedSet, RuleBundle]:
    """The same, and the very texts that were checked.

    Raises:
        RefusedError: also for a set that cannot be handed out, and for files that change while they are read.
    """
    layers = (builtin or builtin_rules_dir(), *sites)
    before = read_bundle(layers)
    for _ in range(_READ_TWICE):
        loaded = load_set(*sites, builtin=builtin)
        after = read_bundle(layers)
        if after == before:
            return loaded, after
        before = after
    raise _refused(layers[-1], "files that change while they are read", "files at rest")


def read_bundle(layers: Sequence[Path]) -> RuleBundle:
    """The texts of these layers, unchecked; RefusedError for what cannot be read or cannot travel."""
    bundle = RuleBundle(layers=tuple(_read_layer(layer) for layer in layers))
    if bundle.wrong:
        raise _refused(layers[-1], bundle.wrong, "a smaller set, in plainly named files")
    return bundle


def lay_down(bundle: RuleBundle, folder: Path) -> None:
    """Write the set's files below `folder`, each layer in a folder of its own; OSError when that fails.

    RefusedError, with nothing written, for a set that is not fit for it: its names come from elsewhere.
    """
    if bundle.wrong:
        raise _refused(folder, bundle.wrong, "a set that can be kept")
    for path, layer in zip(layers_in(folder, len(bundle.layers)), bundle.layers, strict=True):
        path.mkdir(parents=True)
        for file in layer.files:
            target = path / PurePosixPath(file.name)
            target.parent.mkdir(exist_ok=True)
            target.write_text(file.text, encoding="utf-8", newline="")


def load_laid(folder: Path, bundle: RuleBundle) -> LoadedSet:
    """Check a set that was laid down; a RefusedError names the files as they were called where it is from."""
    builtin, *sites = layers_in(folder, len(bundle.layers))
    try:
        return load_set(*sites, builtin=builtin)
    except RefusedError as refused:
        origins = [
            (str(path), layer.origin) for path, layer in zip((builtin, *sites), bundle.layers, strict=True)
        ]
        raise RefusedError([_at_home(problem, origins) for problem in refused.problems]) from refused


def layers_in(folder: Path, count: int) -> tuple[Path, ...]:
    """The folders of a set's layers, lowest first."""
    return tuple(folder / f"{index:02d}" for index in range(count))


def _read_layer(layer: Path) -> RuleLayer:
    reading = EntryReading()
    found = list(reading.files_of(layer))
    if (layer / PLATFORMS).is_dir():
        found += reading.files_of(layer / PLATFORMS)
    if reading.problems:
        raise RefusedError(reading.problems)
    home = layer if layer.is_dir() else layer.parent
    files = tuple(
        RuleFile(name=file.relative_to(home).as_posix(), text=text_of(file)) for file in sorted(found)
    )
    return RuleLayer(origin=str(home), files=files)


def _at_home(problem: Problem, origins: Sequence[tuple[str, str]]) -> Problem:
    for here, origin in origins:
        if problem.file.startswith(f"{here}/"):
            return replace(problem, place=replace(problem.place, file=origin + problem.file[len(here) :]))
    return problem


def _refused(path: Path, found: str, expected: str) -> RefusedError:
    return RefusedError((Problem(place=Place(file=str(path)), found=found, expected=expected),))
