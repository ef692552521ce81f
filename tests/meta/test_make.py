"""The commands that the documents name exist, and what is pinned is pinned completely."""

import re
import subprocess

import pytest
from tests.meta.tree import ROOT, ending, project, text

TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
QUOTED = re.compile(r"(?:`|^\s*\$? *)make ([a-z][a-z-]*)", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==\S+", re.MULTILINE)


def test_every_make_target_that_a_page_quotes_exists() -> None:
    targets = set(TARGET.findall(text("Makefile")))
    quoted = {(name, target) for name in ending(".md") for target in QUOTED.findall(text(name))}
    assert {pair for pair in quoted if pair[1] not in targets} == set()


def test_make_alone_teaches_every_target_with_a_comment() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "test-fast", "lint", "protos", "bench", "lock", "clean", "setup"):
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE), target


def test_ci_runs_lint_and_test_and_nothing_else() -> None:
    commands = [line for line in text(".ci/run").splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", "make lint", "make test"]


@pytest.mark.parametrize("extra", ["run", *project()["project"]["optional-dependencies"]])
def test_every_direct_dependency_is_pinned(extra: str) -> None:
    described = project()["project"]
    direct = [*described["dependencies"], *project()["build-system"]["requires"]]
    direct += described["optional-dependencies"].get(extra, [])
    pinned = {normal(name) for name in PIN.findall(text(f"requirements/{extra}.lock"))}
    named = {normal(re.split(r"[\[<>=;~! ]", requirement)[0]) for requirement in direct}
    assert named - pinned == set(), "run `make lock`"


@pytest.mark.parametrize("lock", ending(".lock"))
def test_every_pin_carries_a_hash(lock: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text(lock))
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("extra", list(project()["project"]["optional-dependencies"]))
def test_an_extra_adds_to_the_run_lock_and_changes_nothing_in_it(extra: str) -> None:
    run = {line.split(" ")[0] for line in text("requirements/run.lock").splitlines() if "==" in line}
    more = {line.split(" ")[0] for line in text(f"requirements/{extra}.lock").splitlines() if "==" in line}
    assert run - more == set()


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
