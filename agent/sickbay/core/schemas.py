"""JSON Schemas of the files that people write: what editors complete and check against while they type.

Made from the same declarations that the parsers use, so that neither knows a word that the other does not.
A schema says what a file may hold; what only makes sense as a whole (a condition's clears agree, a ladder
only goes up, an expression's types) is for the loader.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Scope
from sickbay.core.expressions import MOST_CHARACTERS
from sickbay.core.facts import CONTEXT
from sickbay.core.platform_parsing import MOST_NUMBERS, MOST_RATE
from sickbay.core.platforms import NVLINK_VERSIONS
from sickbay.core.remedies import DrainMode, OnTimeout, RungKind
from sickbay.core.rule_parsing import MOST_COUNTED
from sickbay.core.rules import After
from sickbay.core.signals import EVENT_KINDS, KINDS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NULL: Schema = {"type": "null", "description": "taken away from a lower layer"}


def rules_schema() -> Schema:
    """A file of rules: a list of mappings."""
    return document("Rules", _rule())


def remedies_schema() -> Schema:
    """remedies.yaml: a list of mappings."""
    return document("Remedies", _remedy())


def platforms_schema() -> Schema:
    """A file of platform profiles: a list of mappings."""
    return document("Platform profiles", _platform())


def document(title: str, item: Schema) -> Schema:
    """A file that is a list of `item`, or a mapping that says its format and holds that list."""
    versioned = _object(
        {
            "format": {"enum": [1], "description": "the format that this file is written in"},
            "entries": {"type": "array", "items": {"$ref": "#/items"}},
        },
        required=["format"],
    )
    either = {"type": ["array", "object", "null"], "items": item}
    return {"$schema": DIALECT, "title": f"Sickbay: {title}", **versioned, **either}


def _rule() -> Schema:
    properties = {
        "id": _text(
            "a name of its own; the same id in a higher layer changes this rule", r"^[a-z0-9][a-z0-9-]{0,62}$"
        ),
        "disable": {"type": "boolean", "description": "switch the rule off"},
        "on": {"enum": sorted(KINDS), "description": "the kind of signal that it looks at"},
        "when": _expression(),
        "for": _nullable(_span("how long readings must go on saying so (at least three of them)")),
        "count": _nullable(_count()),
        "boot_grace": _nullable(_span("readings of the first while after a boot are passed over")),
        "condition": _condition(),
        "clear": _clear(),
        "remedy": _text("a remedy of remedies.yaml, or none"),
        "mode": _choice(Mode, "what may follow; the cluster's mode caps it"),
        "because": _text("why it matters, in a line; the condition's message begins with it"),
        "runbook": _text("the page that a person reads: docs/runbooks/<runbook>.md"),
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "select": _nullable(_select()),
    }
    whole = ["on", "when", "condition", "clear", "because"]
    return {
        **_object(properties, required=["id"]),
        "allOf": [
            {"if": {"required": ["on"]}, "then": {"required": whole}},
            *(_about_kind(kind) for kind in sorted(KINDS)),
        ],
    }


def _about_kind(kind: str) -> Schema:
    """What an expression over one kind may name, where an editor shows it; events hold for no time."""
    names = "\n".join(
        f"signal.{name} ({field.type.value}{', ' + field.unit if field.unit else ''}): {field.about}"
        for name, field in KINDS[kind].items()
    )
    then: Schema = {"properties": {"when": {"description": f"CEL over {kind}:\n{names}"}}}
    if kind in EVENT_KINDS:
        then["properties"] |= {"for": _NULL, "boot_grace": _NULL}
    return {"if": {"properties": {"on": {"const": kind}}, "required": ["on"]}, "then": then}


def _expression() -> Schema:
    beside = "\n".join(f"{name} ({field.type.value}): {field.about}" for name, field in CONTEXT.items())
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MOST_CHARACTERS,
        "description": f"a CEL expression that is true or false, over the signal's fields and:\n{beside}",
    }


def _count() -> Schema:
    properties = {
        "at_least": {"type": "integer", "minimum": 2, "maximum": MOST_COUNTED},
        "within": _span("the window"),
        "distinct": _text("a field; then so many different values of it"),
    }
    return _object(properties, required=["at_least", "within"], about="a pattern of several matches")


def _condition() -> Schema:
    properties = {
        "type": _text("in CamelCase, as Kubernetes writes condition types", r"^[A-Z][A-Za-z0-9]{0,62}$"),
        "severity": _choice(Severity, "how bad"),
        "scope": _choice(Scope, "the part that it speaks of"),
        "reason": _text("a word for what was found; {field} is filled in"),
        "family": _text("what failures have in common: attempts and snoozes count by it"),
    }
    return _object(properties, about="the condition that is open as long as the fault lasts")


def _clear() -> Schema:
    when = {
        "when": _expression(),
        "on": {"enum": sorted(KINDS.keys() - EVENT_KINDS)},
        "for": _span("unbroken"),
    }
    forms = (
        _object(when, required=["when"], about="when readings say so"),
        _object(
            {"after": _choice(After, "the repair")}, required=["after"], about="when the repair was seen"
        ),
        _object({"quiet": _span("so long")}, required=["quiet"], about="when no such event came"),
    )
    return {"oneOf": list(forms), "description": "how the condition clears"}


def _select() -> Schema:
    several = {"oneOf": [_text("one"), {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    properties = {
        "platform": {**several, "description": "ids of platform profiles"},
        "driver": _text("bounds of its version: '>=550.54, <575'", r"^\s*(>=|<=|==|!=|>|<)"),
        "pool": {**several, "description": "pools of nodes"},
        "node": {**several, "description": "names of nodes, with * and ?"},
    }
    return {**_object(properties, about="which nodes and GPUs it is for"), "minProperties": 1}


def _remedy() -> Schema:
    drain = {
        "mode": _choice(DrainMode, "wait for the jobs, or disturb none"),
        "timeout": _span("how long jobs are waited for"),
        "on_timeout": _choice(OnTimeout, "what follows when it has passed"),
    }
    rung = {
        "do": _choice(RungKind, "the repair"),
        "deadline": _span("after which it has failed"),
        "service": _text("its unit's name, with restart_service"),
    }
    attempts = {"max": {"type": "integer", "minimum": 1, "maximum": 100}, "window": _span("in so long")}
    spans = {
        "cordon": _span("to cordon"),
        "evidence": _span("to collect it"),
        "return": _span("to give back"),
    }
    properties = {
        "id": _text("the name that rules give"),
        "disable": {"type": "boolean", "description": "switch the remedy off"},
        "about": _text("what it does, in a line"),
        "drain": _object(drain, about="how the node is emptied"),
        "ladder": {
            "type": "array",
            "items": _object(rung, required=["do"]),
            "description": "repairs, each harder than the one before it",
        },
        "validation": _object({"soak": _span("quiet for so long"), "deadline": _span("by when")}),
        "attempts": _object(attempts, about="repairs of one node in a window"),
        "deadlines": _object(spans, about="for the steps that are ours alone"),
    }
    return _object(properties, required=["id"])


def _platform() -> Schema:
    device = _text("four hexadecimal digits, or with the subsystem id", r"^[0-9a-f]{4}(:[0-9a-f]{4})?$")
    numbers = {
        name: {"type": "integer", "minimum": 0, "maximum": most} for name, most in MOST_NUMBERS.items()
    }
    properties = {
        "id": _text("the name that rules select by"),
        "disable": {"type": "boolean"},
        "name": _text("the board"),
        "devices": {"type": "array", "items": device, "minItems": 1, "description": "PCI device ids"},
        "nvlink_version": {"enum": sorted(NVLINK_VERSIONS)},
        "port_rate": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_RATE, "description": "Gb/s"},
        **numbers,
    }
    return _object(properties, required=["id"])


def _object(properties: Mapping[str, Schema], *, required: Iterable[str] = (), about: str = "") -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": dict(properties)}
    if names := list(required):
        schema["required"] = names
    return schema | ({"description": about} if about else {})


def _text(about: str, pattern: str = "") -> Schema:
    return {"type": "string", "description": about} | ({"pattern": pattern} if pattern else {})


def _span(about: str) -> Schema:
    return _text(f"{about}: 250ms, 90s, 5m, 1h30m, 7d", r"^(\d+(\.\d+)?(ms|s|m|h|d))+$")


def _choice(words: type[Enum], about: str) -> Schema:
    known: Collection[str] = [str(word.value) for word in words]
    return {"enum": list(known), "description": about}


def _nullable(schema: Schema) -> Schema:
    return {"oneOf": [schema, _NULL]}
