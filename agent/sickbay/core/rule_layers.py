"""Layers of rules: what a site says of a built-in, laid over it by `id`, field by field.

A later layer may give a rule other fields, take one away (`for: null`), switch a rule off
(`disable: true`) or add rules of its own. Each field keeps its place in the file that gave it, so that an
error names the layer that is to be mended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sickbay.core.field_reading import Entry
from sickbay.core.problems import Locator, Path, Place, Problem, one_of

_MERGED = frozenset({"condition", "labels", "drain", "validation", "attempts", "deadlines"})
"""Mappings that are laid over key by key. `clear`, `count` and `ladder` mean something only as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layered:
    """A locator of an entry whose fields come from several files."""

    base: Locator
    origins: Mapping[Path, Locator]

    def __call__(self, path: Path, offset: int = 0, *, key: bool = False) -> Place:
        """See `sickbay.core.problems.Locator`."""
        origin = self.origins.get(path[:2]) or self.origins.get(path[:1]) or self.base
        return origin(path, offset, key=key)


def merge_layers(layers: Sequence[Sequence[Entry]]) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """The entries that come of the layers, lowest first, in the order in which they were first named."""
    merged: dict[str, Entry] = {}
    problems: list[Problem] = []
    for layer in layers:
        own: dict[str, Entry] = {}
        for entry in layer:
            name = entry.fields.get("id")
            if not isinstance(name, str) or not name:
                problems.append(
                    Problem(place=entry.locate(()), found="no id", expected="id: a name of its own")
                )
            elif name in own:
                problems.append(_repeated(entry, name, own[name]))
            else:
                own[name] = entry
        for name, entry in own.items():
            problems += _lay(entry, name, merged)
    return tuple(merged.values()), tuple(problems)


def _lay(entry: Entry, name: str, merged: dict[str, Entry]) -> tuple[Problem, ...]:
    disable = entry.fields.get("disable", False)
    if not isinstance(disable, bool):
        place = entry.locate(("disable",))
        return (Problem(place=place, found=f"disable: {disable!r}", expected="true or false"),)
    if disable:
        return _switch_off(entry, name, merged)
    fields = {key: value for key, value in entry.fields.items() if key != "disable"}
    lower = merged.get(name)
    alone = Entry(fields=fields, locate=entry.locate, layer=entry.layer)
    merged[name] = _over(lower, alone) if lower else alone
    return ()


def _switch_off(entry: Entry, name: str, merged: dict[str, Entry]) -> tuple[Problem, ...]:
    """Take a rule out. One that no lower layer has may ship switched off, when it is written out whole."""
    if merged.pop(name, None) is not None or entry.fields.keys() - {"id", "disable"}:
        return ()
    found = f"disable of {name!r}, which no lower layer has"
    return (Problem(place=entry.locate(("id",)), found=found, expected=one_of(merged, name)),)


def _over(lower: Entry, entry: Entry) -> Entry:
    result = dict(lower.fields)
    origins: dict[Path, Locator] = dict(lower.locate.origins) if isinstance(lower.locate, _Layered) else {}
    for key, value in entry.fields.items():
        below = result.get(key)
        if key in _MERGED and isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = {**below, **value}
            origins.update({(key, inner): entry.locate for inner in value})
        else:
            result[key] = value
            origins = {path: origin for path, origin in origins.items() if path[:1] != (key,)}
            origins[key,] = entry.locate
    base = lower.locate.base if isinstance(lower.locate, _Layered) else lower.locate
    return Entry(fields=result, locate=_Layered(base=base, origins=origins), layer=lower.layer)


def _repeated(entry: Entry, name: str, first: Entry) -> Problem:
    return Problem(
        place=entry.locate(("id",)),
        found=f"a second {name!r}; the first is at {first.locate(('id',))}",
        expected="each id once a layer",
    )
