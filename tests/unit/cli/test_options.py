"""Whom a command asks, and what it says when nobody answers."""

import pytest
from tests.unit.cli.conftest import Typed


@pytest.mark.parametrize(
    "words",
    [
        ("nodes",),
        ("node", "n1"),
        ("incidents", "-o", "json"),
        ("events", "--fleet"),
        ("explain", "inc-1"),
        ("cordon", "n1", "--reason", "x", "--yes"),
        ("return", "n1", "--yes"),
    ],
)
async def test_without_a_coordinator_each_says_whom_it_tried(alone: Typed, words: tuple[str, ...]) -> None:
    done = await alone(*words)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "no coordinator answers at 127.0.0.1:1" in done.stderr
    assert "--coordinator" in done.stderr


async def test_plaintext_to_another_machine_is_refused(sickbay: Typed) -> None:
    done = await sickbay("nodes", "--coordinator", "10.0.0.1:7118")
    assert done.exit_code == 2
    assert "--insecure-plaintext-off-host" in done.stderr


async def test_a_span_without_a_unit_is_refused_with_the_forms(sickbay: Typed) -> None:
    done = await sickbay("events", "--since", "10")
    assert done.exit_code == 2
    assert "expected a form such as" in done.stderr
