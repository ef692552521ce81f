"""Remedies out of plain mappings, with every problem told at once."""

from collections.abc import Sequence
from itertools import pairwise

from sickbay.core.field_reading import Entry, FieldReader
from sickbay.core.problems import Problem
from sickbay.core.remedies import (
    NO_REMEDY,
    Attempts,
    Deadlines,
    Drain,
    DrainMode,
    OnTimeout,
    Remedy,
    Rung,
    RungKind,
    Validation,
)

_KEYS = ("id", "about", "drain", "ladder", "validation", "attempts", "deadlines")


def parse_remedies(entries: Sequence[Entry]) -> tuple[dict[str, Remedy], tuple[Problem, ...]]:
    """Remedies by id, and what is wrong with the entries; with any problem use none of them.

    `none` is always among them and is not to be defined: it is what a rule has that names no remedy.
    """
    remedies: dict[str, Remedy] = {NO_REMEDY.id: NO_REMEDY}
    problems: list[Problem] = []
    for entry in entries:
        reader = FieldReader.of(entry)
        remedy = _remedy(reader)
        if remedy.id in remedies:
            reader.wrong("id", "an id of its own", found=f"a second remedy {remedy.id!r}")
        remedies[remedy.id] = remedy
        problems += reader.problems
    return remedies, tuple(problems)


def _remedy(reader: FieldReader) -> Remedy:
    reader.allow(_KEYS)
    return Remedy(
        id=reader.text("id"),
        about=reader.text("about", ""),
        drain=_drain(reader.inner("drain")),
        ladder=_ladder(reader),
        validation=_validation(reader.inner("validation")),
        attempts=_attempts(reader.inner("attempts")),
        deadlines=_deadlines(reader.inner("deadlines")),
    )


def _drain(reader: FieldReader | None) -> Drain:
    if reader is None:
        return Drain()
    reader.allow(("mode", "timeout", "on_timeout"))
    return Drain(
        mode=reader.choice("mode", DrainMode, DrainMode.WAIT),
        timeout=reader.seconds("timeout", Drain().timeout),
        on_timeout=reader.choice("on_timeout", OnTimeout, OnTimeout.HOLD),
    )


def _ladder(reader: FieldReader) -> tuple[Rung, ...]:
    """The rungs. They only go up, so that a failed repair can never lead back to one that has failed."""
    rungs = tuple(_rung(inner) for inner in reader.inner_list("ladder"))
    ranks = [rung.kind.rank for rung in rungs]
    if any(later <= earlier for earlier, later in pairwise(ranks)):
        order = " < ".join(kind.value for kind in RungKind)
        reader.wrong("ladder", f"each rung harder than the one before it: {order}")
    return rungs


def _rung(reader: FieldReader) -> Rung:
    reader.allow(("do", "deadline", "service"))
    kind = reader.choice("do", RungKind)
    if (kind is RungKind.RESTART_SERVICE) != reader.has("service"):
        reader.missing("service", "service: its unit's name, with restart_service and nowhere else")
    return Rung(
        kind=kind,
        deadline=reader.seconds("deadline", Rung(kind=kind).deadline),
        service=reader.text("service", ""),
    )


def _validation(reader: FieldReader | None) -> Validation:
    if reader is None:
        return Validation()
    reader.allow(("soak", "deadline"))
    return Validation(
        soak=reader.seconds("soak", Validation().soak),
        deadline=reader.seconds("deadline", Validation().deadline),
    )


def _attempts(reader: FieldReader | None) -> Attempts:
    if reader is None:
        return Attempts()
    reader.allow(("max", "window"))
    return Attempts(
        max=reader.integer("max", default=Attempts().max, least=1, most=100),
        window=reader.seconds("window", Attempts().window),
    )


def _deadlines(reader: FieldReader | None) -> Deadlines:
    if reader is None:
        return Deadlines()
    reader.allow(("cordon", "evidence", "return"))
    return Deadlines(
        cordon=reader.seconds("cordon", Deadlines().cordon),
        evidence=reader.seconds("evidence", Deadlines().evidence),
        returning=reader.seconds("return", Deadlines().returning),
    )
