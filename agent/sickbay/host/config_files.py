"""Configuration: a YAML file into a typed value, refused with the place of the mistake when it does not fit.

Types are `msgspec.Struct`s with `forbid_unknown_fields=True`. Beside msgspec's own types they may use
`Seconds`, written as `90s` or `5m`, and `pathlib.Path`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from sickbay.core.instants import parse_duration
from sickbay.core.problems import Path as ValuePath
from sickbay.core.problems import Place, Problem, RefusedError, one_of
from sickbay.host.yaml_files import YamlDocument, read_yaml

_T = TypeVar("_T")

# msgspec's messages: "Object contains unknown field `nod` - at `$.agent`", "Expected `int`, got `str` - at
# `$.ports[1]`", "Object missing required field `node`"; `[...]` stands for a key of a mapping.
_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?(?P<path>\$.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_EXPECTED = re.compile(r"Expected (.*?)(?:, got (.*))?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")


class Seconds(float):
    """A span of time in seconds; in a file it carries its unit, such as `250ms`, `90s` or `1h30m`."""

    __slots__ = ()


def load_config(path: Path, type_: type[_T]) -> _T:
    """The file's content as a value of `type_`. An empty file gives the defaults.

    Raises:
        RefusedError: when the file cannot be read or does not fit, with file, line and column.
    """
    document = read_yaml(path)
    content: object = {} if document.value is None else document.value
    try:
        return msgspec.convert(content, type_, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        raise RefusedError((_problem(str(error), document, type_),)) from error


def _decoded(type_: type, value: object) -> object:
    """Values of the types that msgspec does not know. It turns the ValueErrors into its own error."""
    if type_ is Seconds and isinstance(value, str):
        return Seconds(parse_duration(value))
    if issubclass(type_, Path) and isinstance(value, str):
        return type_(value)
    expected = "a duration with its unit, such as 250ms, 90s or 5m" if type_ is Seconds else "a path"
    msg = f"Expected {expected}, got {value!r}"
    raise ValueError(msg)


def _problem(message: str, document: YamlDocument, type_: Any) -> Problem:  # noqa: ANN401 - any type's form
    match = _MESSAGE.fullmatch(message)
    what, steps = (match["what"], match["path"] or "") if match else (message, "")
    path = _path(steps, document.value)
    if unknown := _UNKNOWN.fullmatch(what):
        place = document.locate((*path, unknown[1]), key=True)
        known = _keys_at(type_, path)
        return Problem(
            place=place, found=f"the unknown key {unknown[1]!r}", expected=one_of(known, unknown[1])
        )
    if missing := _MISSING.fullmatch(what):
        shown = ".".join(str(step) for step in (*path, missing[1]))
        return Problem(place=document.locate(path), found=f"no {shown}", expected=f"the key {missing[1]}")
    return _misfit(what, document.locate(path), path, document.value)


def _misfit(what: str, place: Place, path: ValuePath, value: object) -> Problem:
    for step in path:
        value = _inner(value, step)
    named = f"{path[-1]}: {value!r}" if path else repr(value)
    expected = _EXPECTED.fullmatch(what)
    return Problem(place=place, found=named, expected=expected[1].replace("`", "") if expected else what)


def _path(steps: str, value: object) -> ValuePath:
    """The path in a message as ours, as far as it can be followed: it never says which key of a mapping."""
    path: list[str | int] = []
    for name, index, _ in _STEP.findall(steps):
        inner = _inner(value, name or (int(index) if index else -1))
        if inner is None:
            break
        path.append(name or int(index))
        value = inner
    return tuple(path)


def _inner(value: object, step: str | int) -> object:
    """What is one step inside of `value`; None where there is no such step."""
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        inner: object = value[step]
        return inner
    return None


def _keys_at(type_: Any, path: ValuePath) -> tuple[str, ...]:  # noqa: ANN401 - any type's form
    """The keys that a struct at `path` may have; none where the path leads to no struct."""
    struct = _struct_in(type_)
    if struct is None:
        return ()
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    if not path:
        return tuple(fields)
    rest = tuple(step for step in path[1:] if isinstance(step, str))
    return _keys_at(fields.get(str(path[0])), rest)


def _struct_in(type_: Any) -> Any:  # noqa: ANN401 - any type's form
    """The struct that a type is or holds: itself, or inside an optional, a list or a mapping."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_
    if get_origin(type_) in {Union, UnionType, list, tuple, dict, Mapping}:
        return next((found for inner in get_args(type_) if (found := _struct_in(inner)) is not None), None)
    return None
