"""JSON Schemas of configuration files, made from the types that they are read into.

Each type's docstring explains its keys, one `key: what it is` a paragraph; editors show the same words.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from sickbay.core.instants import format_duration
from sickbay.core.schemas import DIALECT, Schema
from sickbay.host.config_files import Seconds

_KEY = re.compile(r"^(\w+(?:, \w+)*): ", re.MULTILINE)

_SIMPLE: dict[type[types.Type], str] = {
    types.BoolType: "boolean",
    types.IntType: "integer",
    types.FloatType: "number",
    types.StrType: "string",
    types.NoneType: "null",
}


def config_schema(type_: type[msgspec.Struct], title: str) -> Schema:
    """The schema of a file that `load_config` reads into `type_`. An empty file is right, too."""
    return {"$schema": DIALECT, "title": f"Sickbay: {title}", **_struct(type_)}


def _struct(type_: type[msgspec.Struct]) -> Schema:
    about = _about(inspect.getdoc(type_) or "")
    info = types.type_info(type_)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{type_} is no struct")
    properties = {
        field.encode_name: _schema(field.type)
        | _default(field.default)
        | ({"description": about[field.encode_name]} if field.encode_name in about else {})
        for field in info.fields
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _schema(info: types.Type) -> Schema:
    if isinstance(info, types.StructType):
        return _struct(info.cls)
    if isinstance(info, types.VarTupleType | types.ListType):
        return {"type": "array", "items": _schema(info.item_type)}
    if isinstance(info, types.DictType):
        return {"type": "object", "additionalProperties": _schema(info.value_type)}
    if isinstance(info, types.UnionType):
        return {"anyOf": [_schema(one) for one in info.types]}
    if isinstance(info, types.CustomType):
        return _ours(info.cls)
    return {"type": _SIMPLE[type(info)]}


def _ours(type_: type) -> Schema:
    """The schema of a type that msgspec does not know."""
    if type_ is Seconds:
        return {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}
    if issubclass(type_, Path):
        return {"type": "string"}
    raise TypeError(f"no schema for {type_}")


def _default(value: Any) -> Schema:  # noqa: ANN401 - any default
    if isinstance(value, Seconds):
        return {"default": format_duration(value)}
    if isinstance(value, bool | int | float | str):
        return {"default": value}
    return {"default": [msgspec.to_builtins(each) for each in value]} if isinstance(value, tuple) else {}


def _about(docstring: str) -> dict[str, str]:
    """Key -> its paragraph; a paragraph for several keys counts for each."""
    begins = list(_KEY.finditer(docstring))
    ends = [begin.start() for begin in begins[1:]] + [len(docstring)]
    return {
        key: " ".join(docstring[begin.end() : end].split())
        for begin, end in zip(begins, ends, strict=True)
        for key in begin[1].split(", ")
    }
