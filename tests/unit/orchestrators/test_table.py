import inspect
import pkgutil
from importlib import import_module

import pytest

import sickbay.orchestrators
from sickbay.host.clock import SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.orchestrators.records import MemoryCordonRecords
from sickbay.orchestrators.table import ORCHESTRATORS, Edges

PACKAGE = sickbay.orchestrators.__name__
VERBS = {name for name in vars(Orchestrator) if not name.startswith("_")}


def edges() -> Edges:
    return Edges(clock=SystemClock(), commands=SystemCommands(), records=MemoryCordonRecords())


def adapters_in_the_folder() -> set[str]:
    """The modules that define a class with every verb of the contract."""
    return {
        module.name
        for module in pkgutil.iter_modules(sickbay.orchestrators.__path__)
        for _, found in inspect.getmembers(import_module(f"{PACKAGE}.{module.name}"), inspect.isclass)
        if found.__module__ == f"{PACKAGE}.{module.name}" and found is not Orchestrator
        if set(dir(found)) >= VERBS
    }


def test_the_table_holds_every_orchestrator_of_the_folder():
    assert adapters_in_the_folder() == set(ORCHESTRATORS)


@pytest.mark.parametrize("name", sorted(ORCHESTRATORS))
def test_each_entry_builds_from_settings_that_all_have_defaults(name: str):
    entry = ORCHESTRATORS[name]
    assert entry.build(entry.settings(), edges()).name == name
