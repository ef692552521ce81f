"""The schema of cases holds what the parser holds."""

import pytest
from jsonschema import Draft202012Validator
from tests.support.cases import read_cases
from tests.unit.core.test_case_parsing import CASE

from sickbay.core.case_schema import cases_schema
from sickbay.host.case_files import cases_of_layers
from sickbay.host.rule_files import builtin_rules_dir
from sickbay.host.yaml_files import parse_yaml, read_yaml

VALIDATOR = Draft202012Validator(cases_schema())


def test_the_schema_is_one_and_every_built_in_case_follows_it() -> None:
    Draft202012Validator.check_schema(cases_schema())
    (folder,) = cases_of_layers((builtin_rules_dir(),))
    for file in folder.glob("*.yaml"):
        assert [error.message for error in VALIDATOR.iter_errors(read_yaml(file).value)] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("name: a case", "nam: a case"),
        ("kind: clocks", "kind: clocked"),
        ("idle: true", "idl: true"),
        ("idle: true", "idle: 1"),
        ("boot: true", "boot: true, restart: true"),
        ("times: 3", "times: 1"),
        ("proposals: []", "proposals: [rebot]"),
    ],
)
def test_what_the_parser_refuses_the_editor_marks(right: str, wrong: str) -> None:
    assert VALIDATOR.is_valid(parse_yaml(CASE, file="x").value)
    text = CASE.replace(right, wrong, 1)
    assert read_cases(text)[1]
    assert not VALIDATOR.is_valid(parse_yaml(text, file="x").value)
