"""Watching a GPU must never hold it up: no tool is started, no lock is taken, nothing is printed."""

import ast
from collections.abc import Iterator

import pytest
from tests.meta.tree import ending, text

from sickbay.host.nvml.catalogue import CALLS

WATCHING = tuple(
    name
    for name in ending(".py")
    if name.startswith(("agent/sickbay/monitors/", "agent/sickbay/host/nvml/", "agent/sickbay/node/"))
)
WHAT_STARTS_PROGRAMS = {"subprocess", "sickbay.host.commands", "multiprocessing", "os.system", "pty"}
OF_PROFILERS = ("gpm", "profiler", "vgpuutil", "pciethroughput", "processutilization", "samples", "prm")
"""Calls that take the profiling lock or block while they sample: nvmlGpm*, nvmlDeviceGetPcieThroughput,
nvmlDeviceGetSamples, nvmlDeviceGetProcessUtilization, nvmlDeviceReadPRMCounters_v1."""
RUNS_THE_SITES_OWN = "agent/sickbay/monitors/plugins.py"
"""The one monitor whose matter is programs: those that the site names, and no other."""


def code_texts(name: str) -> Iterator[str]:
    """Every text constant of a file but its docstrings, which may speak of anything."""
    tree = ast.parse(text(name))
    spoken = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            yield node.value


def imported(name: str) -> set[str]:
    """The modules that a file imports."""
    nodes = list(ast.walk(ast.parse(text(name))))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return whole | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def test_nothing_that_watches_names_nvidias_tools() -> None:
    tools = ("nvidia-smi", "dcgmi", "nv-hostengine", "nvidia-bug-report")
    found = [(name, said) for name in WATCHING for said in code_texts(name) if any(t in said for t in tools)]
    assert found == []


@pytest.mark.parametrize("name", [name for name in WATCHING if "/monitors/" in name])
def test_a_monitor_starts_no_program_and_prints_nothing(name: str) -> None:
    assert name == RUNS_THE_SITES_OWN or not imported(name) & WHAT_STARTS_PROGRAMS
    calls = [node.func for node in ast.walk(ast.parse(text(name))) if isinstance(node, ast.Call)]
    assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls)
    assert "logging" not in imported(name), (
        "a monitor says what it sees in signals; the agent logs what changes"
    )


def test_the_worker_can_make_no_call_of_a_profiler_and_none_that_changes_anything() -> None:
    assert [call for call in CALLS if any(word in call.lower() for word in OF_PROFILERS)] == []
    changing = ("nvmlDeviceSet", "nvmlDeviceReset", "nvmlDeviceClear", "nvmlDeviceModify", "nvmlSystemSet")
    assert [call for call in CALLS if call.startswith(changing)] == []
