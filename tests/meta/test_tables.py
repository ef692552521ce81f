"""Each family of plug-ins has one explicit table, and no file of the family lies outside it."""

import ast
import importlib

import pytest
from tests.meta.tree import files, text

TABLES = [name for name in files() if name.startswith("agent/sickbay/") and name.endswith("/table.py")]


def test_orchestrators_and_actuators_have_their_table() -> None:
    assert {name.split("/")[2] for name in TABLES} >= {"orchestrators", "actuators"}


@pytest.mark.parametrize("table", TABLES)
def test_the_table_reaches_every_file_beside_it(table: str) -> None:
    folder = table.removesuffix("table.py")
    beside = {name for name in files() if name.startswith(folder) and name.endswith(".py")}
    assert beside - {f"{folder}__init__.py"} == reached(table, folder)


@pytest.mark.parametrize("kind", ["orchestrators"])
def test_the_names_of_the_table_are_the_modules_that_people_look_for(kind: str) -> None:
    table = importlib.import_module(f"sickbay.{kind}.table")
    named = getattr(table, kind.upper())
    assert {name for name in named if f"agent/sickbay/{kind}/{name}.py" not in files()} == set()


def reached(name: str, folder: str) -> set[str]:
    """The file, and all of its folder that it imports by any way."""
    found: set[str] = set()
    pending = {name}
    while pending:
        one = pending.pop()
        found.add(one)
        pending |= {each for each in imported(one) if each.startswith(folder)} - found
    return found


def imported(name: str) -> set[str]:
    """The files of our package that a file imports from."""
    nodes = [node for node in ast.walk(ast.parse(text(name))) if isinstance(node, ast.ImportFrom)]
    modules = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    modules |= {str(node.module) for node in nodes}
    paths = {f"agent/{module.replace('.', '/')}.py" for module in modules}
    return paths & set(files())
