"""What commands print: tables for people, JSON or YAML for machines, errors with what to try."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NoReturn

import click

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
"""Nobody answered: what was asked is not known. The same number as `sickbay status` has for unknown."""


def plain(value: object) -> Plain:
    """A value of ours as JSON would hold it: dataclasses by field name, enums by value."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    # Mapping proxies and other read-only views of mappings come here.
    items: Callable[[], Any] | None = getattr(value, "items", None)
    return plain(dict(items())) if items is not None else str(value)


def emit(value: object, form: str, people: Callable[[], None]) -> None:
    """Print `value` in the form that was asked for; `people` prints the table."""
    match form:
        case "json":
            click.echo(json.dumps(plain(value), indent=2))
        case "yaml":
            import yaml  # noqa: PLC0415 - only who asks for YAML pays for it

            click.echo(yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True), nl=False)
        case _:
            people()


def fail(message: str, *, code: int = EXIT_FAILED) -> NoReturn:
    """Say on standard error what went wrong and what to try, and end with `code`."""
    click.echo(f"sickbay: {message}", err=True)
    sys.exit(code)


def when(at: float | None) -> str:
    """A Unix time in UTC to the second, as all of Sickbay writes it; a dash for none."""
    if not at:
        return "-"
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


_COLOURS = {
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "unknown": "magenta",
    "ok": "green",
    "lost": "red",
    "absent": "red",
    "hung": "red",
    "info": "cyan",
    "warning": "yellow",
    "critical": "red",
    "fatal": "red",
    "done": "green",
    "quarantined": "red",
    "cancelled": "yellow",
    "ours": "yellow",
    "foreign": "cyan",
}


def painted(word: str) -> str:
    """A word in the colour of what it means; plain where colours are not wanted."""
    colour = _COLOURS.get(word)
    return click.style(word, fg=colour) if colour else word


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Aligned columns without lines, so that `grep` and `awk` work on them; `empty` when there is no row.

    Kept apart from rich, whose import alone would be half of what `sickbay status` may take.
    """
    for line in columns(head, rows) if rows else [empty]:
        click.echo(line)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of such a table."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [
        max(len(head[column]), *(len(click.unstyle(row[column])) for row in cells))
        for column in range(len(head))
    ]
    return [
        _line([click.style(title, bold=True) for title in head], widths),
        *(_line(row, widths) for row in cells),
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
