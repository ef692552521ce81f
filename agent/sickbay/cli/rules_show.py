"""`sickbay rules show` and `schema`: the merged rules, where each field is from, what a file may hold."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from sickbay.cli.options import examples, output_option
from sickbay.cli.output import Plain, emit, fail, plain, table
from sickbay.cli.rules_options import checked_or_exit, layers_option, merged_from
from sickbay.core.field_reading import Entry
from sickbay.core.instants import format_duration
from sickbay.core.problems import Place, one_of
from sickbay.core.rules import Rule
from sickbay.host.rule_files import MergedRules, builtin_rules_dir

_SCHEMAS = ("rules", "remedies", "platforms", "cases", "policy", "agent", "coordinator")


@click.command(
    epilog=examples("sickbay rules show", "sickbay rules show gpu-power-brake", "sickbay rules show -o json")
)
@click.argument("name", metavar="[ID]", required=False)
@layers_option
@output_option
def show(*, name: str | None, sites: tuple[Path, ...], builtin: Path | None, form: str) -> None:
    """The rules as they apply, or one rule or remedy whole with the file and line that gave each field."""
    merged = merged_from(sites, builtin)
    loaded = checked_or_exit(merged)
    if name is None:
        rules = loaded.rules.rules
        emit([_summary(rule) for rule in rules], form, lambda: _list(rules, loaded.rules.digest))
        return
    entry = _entry_of(merged, name)
    fields = _fields(entry)
    value = {"id": name, "fields": [_plain_field(*each) for each in fields]}
    emit(value, form, lambda: _whole(fields))


@click.command(epilog=examples("sickbay rules schema rules > rules.schema.json"))
@click.argument("what", type=click.Choice(_SCHEMAS))
def schema(*, what: str) -> None:
    """The JSON Schema of a kind of file, for editors.

    Built-in files name theirs in their first line (`# yaml-language-server: $schema=...`); so may yours.
    """
    click.echo((builtin_rules_dir() / "schema" / f"{what}.schema.json").read_text(), nl=False)


def _entry_of(merged: MergedRules, name: str) -> Entry:
    known = {str(entry.fields.get("id")): entry for entry in (*merged.remedies, *merged.rules)}
    if name not in known:
        fail(f"no rule or remedy {name!r}; {one_of(known, name)}")
    return known[name]


Shown = tuple[str, object, Place]


def _fields(entry: Entry) -> Sequence[Shown]:
    """Each field, and each key of a mapping that layers merge, with where it was written."""
    return [shown for key, value in entry.fields.items() for shown in _field(entry, key, value)]


def _field(entry: Entry, key: str, value: object) -> Sequence[Shown]:
    if isinstance(value, dict) and value:
        inner = [(f"{key}.{name}", item, entry.locate((key, name), key=True)) for name, item in value.items()]
        if len({place.file for _, _, place in inner}) > 1:
            return inner
        return [(key, value, inner[0][2])]
    return [(key, value, entry.locate((key,), key=True))]


def _plain_field(name: str, value: object, place: Place) -> dict[str, Plain]:
    return {"name": name, "value": plain(value), "file": place.file, "line": place.line}


def _whole(fields: Sequence[Shown]) -> None:
    rows = [(name, _written(value), f"{place.file}:{place.line}") for name, value, place in fields]
    table(("FIELD", "VALUE", "GIVEN BY"), rows, empty="")


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _list(rules: Sequence[Rule], digest: str) -> None:
    head = ("ID", "ON", "SEVERITY", "MODE", "REMEDY", "CONDITION", "CLEARS")
    rows = [
        (
            rule.id,
            rule.on,
            rule.condition.severity.value,
            rule.mode.value,
            rule.remedy,
            rule.condition.type,
            str(rule.clear),
        )
        for rule in rules
    ]
    table(head, rows, empty="no rules")
    click.echo(f"{len(rules)} rules, digest {digest[:12]}")


def _summary(rule: Rule) -> dict[str, Plain]:
    return {
        "id": rule.id,
        "on": rule.on,
        "when": rule.when.text,
        "for": format_duration(rule.hold) if rule.hold else None,
        "condition": rule.condition.type,
        "severity": rule.condition.severity.value,
        "remedy": rule.remedy,
        "mode": rule.mode.value,
        "clears": str(rule.clear),
        "runbook": rule.runbook,
        "select": str(rule.select) if rule.select else None,
        "file": rule.layer,
        "line": rule.line,
    }
