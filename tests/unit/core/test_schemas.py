"""The schemas that editors check against: they know what the parsers know."""

import pytest
from jsonschema import Draft202012Validator
from tests.support.rules import parsed
from tests.support.sample_rules import RULES

from sickbay.core.schemas import Schema, platforms_schema, remedies_schema, rules_schema
from sickbay.core.signals import KINDS
from sickbay.host.yaml_files import parse_yaml

WHOLE = """
- id: brake
  on: clocks
  when: signal.hw_power_brake
  for: 60s
  condition: {type: Brake, severity: warning, scope: gpu}
  clear: {when: "!signal.hw_power_brake", for: 5m}
  because: the cable
  select: {pool: [train]}
"""


def mistakes(schema: Schema, text: str) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(parse_yaml(text, file="a.yaml").value)
    return [error.message for error in found]


@pytest.mark.parametrize(
    "schema", [rules_schema(), remedies_schema(), platforms_schema()], ids=lambda s: s["title"]
)
def test_a_schema_is_one(schema: Schema) -> None:
    Draft202012Validator.check_schema(schema)


def test_what_the_parser_takes_the_schema_takes() -> None:
    assert parsed(WHOLE)[1] == ()
    assert mistakes(rules_schema(), WHOLE) == []
    assert mistakes(rules_schema(), RULES) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("on: clocks", "on: clocs"),
        ("for: 60s", "for: 60"),
        ("for: 60s", "for: soon"),
        ("severity: warning", "severity: warn"),
        ("type: Brake", "type: brake"),
        ("because: the cable", "becuase: the cable"),
        ("  because: the cable\n", ""),
        ('clear: {when: "!signal.hw_power_brake", for: 5m}', "clear: {}"),
        ('clear: {when: "!signal.hw_power_brake", for: 5m}', "clear: {after: reboot, quiet: 1h}"),
        ("for: 60s", "count: {at_least: 1, within: 1m}"),
        ("select: {pool: [train]}", "select: {}"),
        ("select: {pool: [train]}", "select: {driver: 'new'}"),
        ("id: brake", "id: The Brake"),
    ],
)
def test_what_the_parser_refuses_by_its_form_the_schema_refuses(old: str, new: str) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    assert parsed(text)[1]
    assert mistakes(rules_schema(), text)


def test_a_rule_laid_over_another_need_not_be_whole() -> None:
    assert (
        mistakes(
            rules_schema(), "- id: brake\n  for: 2m\n- {id: other, disable: true}\n- {id: third, for: ~}\n"
        )
        == []
    )


def test_an_event_holds_for_no_time() -> None:
    text = WHOLE.replace("on: clocks", "on: xid").replace("signal.hw_power_brake", "signal.code == 79", 1)
    assert mistakes(rules_schema(), text)


def test_an_editor_shows_every_field_of_a_kind() -> None:
    about = {
        case["if"]["properties"]["on"]["const"]: case["then"]["properties"]["when"]["description"]
        for case in rules_schema()["items"]["allOf"][1:]
    }
    assert about.keys() == KINDS.keys()
    assert all(f"signal.{name} (" in about[kind] for kind, fields in KINDS.items() for name in fields)


def test_a_file_may_say_its_format_and_is_checked_the_same() -> None:
    said = "format: 1\nentries:" + WHOLE.replace("\n", "\n  ")
    assert mistakes(rules_schema(), said) == []
    assert mistakes(rules_schema(), said.replace("format: 1", "format: 2"))
    assert mistakes(rules_schema(), said.replace("on: clocks", "on: clocs"))
