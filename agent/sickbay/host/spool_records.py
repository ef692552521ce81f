"""How the spool's values become bytes and values again. JSON, so that a person can read the file too."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from sickbay.core.conditions import Condition
from sickbay.core.signals import Signal

_T = TypeVar("_T")

SIGNAL, READING, CONDITION = "signal", "reading", "condition"
"""The kinds of events: what happened, what was read and kept for trying rules on it, what the rules said."""


class UnreadableRecordError(ValueError):
    """Bytes of the spool that are not what their column promises, perhaps of another version of ours."""


def kind_of(what: Signal | Condition) -> str:
    """The word of the column `kind`, by which a body is decoded."""
    if isinstance(what, Condition):
        return CONDITION
    return SIGNAL if what.is_event else READING


def encoded(value: object) -> bytes:
    """`value`, a tree of dataclasses, enums, mappings and plain values, as JSON."""
    return _ENCODER.encode(value)


def decoded(body: bytes, form: type[_T]) -> _T:
    """The value of type `form` in `body`; UnreadableRecordError when it is not one."""
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise UnreadableRecordError(f"not a {form.__name__}: {error}") from error


def decoded_event(kind: str, body: bytes) -> Signal | Condition:
    """What an event tells of; UnreadableRecordError when it cannot be told."""
    return decoded(body, Condition) if kind == CONDITION else decoded(body, Signal)


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"the spool has no form for {type(value).__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
