"""The JSON Schema of files of cases; see sickbay.core.schemas for the others."""

from sickbay.core.case_parsing import MOST_REPEATS
from sickbay.core.conditions import Mode, Severity
from sickbay.core.expectation_parsing import ACTIONS
from sickbay.core.rule_cases import SUBJECT_FORMS
from sickbay.core.schemas import Schema, document
from sickbay.core.signal_fields import Field, FieldType
from sickbay.core.signals import KINDS

_SPAN: Schema = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}
_TEXT: Schema = {"type": "string", "minLength": 1}
_TYPES = {
    FieldType.BOOL: "boolean",
    FieldType.INT: "integer",
    FieldType.FLOAT: "number",
    FieldType.TEXT: "string",
}


def cases_schema() -> Schema:
    """A file of cases: a list of mappings."""
    return document("Cases of rules", case_schema())


def case_schema() -> Schema:
    """One case."""
    names = {**_TEXT, "description": "a rule's id"}
    properties: dict[str, Schema] = {
        "name": {**_TEXT, "description": "what is so, in a sentence"},
        "rule": {
            "oneOf": [names, {"type": "array", "items": names, "minItems": 1}],
            "description": "the rules that the case is about",
        },
        "node": _node(),
        "uptime": {**_SPAN, "description": "how long the node has been up at 0s; 1h where it is not said"},
        "of": _subject("the part that signals speak of where they name none; else the node"),
        "given": {"type": "array", "items": _step(), "minItems": 1, "description": "what happens"},
        "expect": {"type": "array", "items": _expectation(), "minItems": 1, "description": "what is so then"},
    }
    return _object(properties, "name", "given", "expect")


def _node() -> Schema:
    about = {
        "name": "its name",
        "pool": "its pool",
        "driver": "the version of NVIDIA's driver",
        "platform": "the id of its GPUs' platform profile",
    }
    return _object({name: {**_TEXT, "description": text} for name, text in about.items()})


def _step() -> Schema:
    properties: dict[str, Schema] = {
        "at": {**_SPAN, "description": "when it is seen, counted from the begin of the case"},
        "ago": {**_SPAN, "description": "how long before that it happened"},
        "kind": {"enum": sorted(KINDS), "description": "a kind of signal"},
        "of": _subject("the part that it speaks of"),
        "fields": {"type": "object", "description": "its fields; null is unknown"},
        "line": {**_TEXT, "description": "a line of the kernel log, as the kernel prints it"},
        "boot": {"const": True, "description": "the node comes up anew"},
        "restart": {"const": True, "description": "the agent starts anew in the same boot"},
        "reset": {**_TEXT, "description": "a reset of this GPU was seen to have worked"},
        "repeat": _repeat(),
    }
    forms = [{"required": [key]} for key in ("kind", "line", "boot", "restart", "reset")]
    kinds = [_of_kind(kind) for kind in sorted(KINDS)]
    return {**_object(properties, "at"), "oneOf": forms, "allOf": kinds}


def _of_kind(kind: str) -> Schema:
    """The fields of one kind, where an editor completes them."""
    fields = _object({name: _field(field) for name, field in KINDS[kind].items()})
    condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": condition, "then": {"properties": {"fields": fields}}}


def _field(field: Field) -> Schema:
    unit = f" ({field.unit})" if field.unit else ""
    return {"type": [_TYPES[field.type], "null"], "description": f"{field.about}{unit}"}


def _repeat() -> Schema:
    times: Schema = {"type": "integer", "minimum": 2, "maximum": MOST_REPEATS}
    return _object({"every": _SPAN, "times": times}, "every", "times")


def _expectation() -> Schema:
    wanted: Schema = {"oneOf": [_TEXT, _wanted()]}
    action: Schema = {
        "oneOf": [{"enum": list(ACTIONS)}, _object({"do": {"enum": list(ACTIONS)}, "rule": _TEXT}, "do")]
    }
    about = {
        "open": ("exactly these conditions are open", wanted),
        "among": ("these are open, whatever else is", wanted),
        "not": ("conditions of these types are not open", _TEXT),
        "cleared": ("conditions of these types were open before and are not now", _TEXT),
        "proposals": ("what would have been done since the case began, in order", action),
    }
    lists: dict[str, Schema] = {
        name: {"type": "array", "items": item, "description": text} for name, (text, item) in about.items()
    }
    return {**_object({"at": _SPAN, **lists}, "at"), "minProperties": 2}


def _wanted() -> Schema:
    properties: dict[str, Schema] = {
        "type": {**_TEXT, "description": "the condition's type"},
        "of": _subject("the part that it speaks of"),
        "severity": {"enum": [each.value for each in Severity]},
        "reason": _TEXT,
        "rule": _TEXT,
        "remedy": _TEXT,
        "mode": {"enum": [each.value for each in Mode]},
    }
    return _object(properties, "type")


def _subject(about: str) -> Schema:
    return {**_TEXT, "description": f"{about}: {SUBJECT_FORMS}"}


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | ({"required": list(required)} if required else {})
