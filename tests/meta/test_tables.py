"""Each family of plug-ins has one explicit table, and no file of the family lies outside it."""

import ast

import pytest
from tests.meta.tree import files, text

from sickbay.orchestrators.table import ORCHESTRATORS

FAMILIES = ("orchestrators", "actuators")
"""Those whose table builds what it names; that of the monitors is held by test_monitors.py."""


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_reaches_every_file_beside_it(family: str) -> None:
    folder = f"agent/sickbay/{family}/"
    beside = {name for name in files() if name.startswith(folder) and name.endswith(".py")}
    assert beside - {f"{folder}__init__.py"} == reached(f"{folder}table.py", folder)


def test_an_orchestrator_is_configured_by_the_name_of_its_module() -> None:
    assert [name for name in ORCHESTRATORS if f"agent/sickbay/orchestrators/{name}.py" not in files()] == []


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
