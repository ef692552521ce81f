"""In an editor a built-in file is completed and checked: it names its schema, and keeps to it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sickbay.host.rule_files import builtin_rules_dir
from sickbay.host.yaml_files import read_yaml

FOLDER = builtin_rules_dir()
FILES = sorted((*FOLDER.glob("*.yaml"), *FOLDER.glob("platforms/*.yaml")))
BEGIN = "# yaml-language-server: $schema="


def schema_of(file: Path) -> Path:
    """The schema that the file names in its first line, as an editor finds it."""
    first, *_ = file.read_text(encoding="utf-8").splitlines()
    assert first.startswith(BEGIN), f"{file.name} begins with {first!r}"
    return file.parent / first.removeprefix(BEGIN)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_a_built_in_file_names_its_schema_and_holds_nothing_that_the_schema_refuses(file: Path) -> None:
    schema = json.loads(schema_of(file).read_text(encoding="utf-8"))
    mistakes = Draft202012Validator(schema).iter_errors(read_yaml(file).value)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in mistakes] == []


@pytest.mark.parametrize(
    ("name", "schema"),
    [("gpu.yaml", "rules"), ("remedies.yaml", "remedies"), ("platforms/hopper.yaml", "platforms")],
)
def test_each_kind_of_file_names_the_schema_of_its_kind(name: str, schema: str) -> None:
    assert schema_of(FOLDER / name).resolve() == FOLDER / "schema" / f"{schema}.schema.json"
