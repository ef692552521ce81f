"""A node out of service and back: shown first, asked for, and never in silence."""

import json

import pytest
from tests.fakes.operations import FakeFleetOperations
from tests.unit.cli.conftest import Typed

from sickbay.core.outcomes import Outcome, Verdict


async def test_a_cordon_shows_what_it_touches_and_acts_at_a_word(
    sickbay: Typed, fleet_operations: FakeFleetOperations
) -> None:
    done = await sickbay("cordon", "n1", "--reason", "loud fan", "--yes")
    assert (done.exit_code, done.stdout) == (0, "n1: done: cordoned\n")
    assert "ends: remediation rem-0123456789ab (reboot, draining)" in done.stderr
    assert fleet_operations.asked == [("n1", "loud fan", "ann")]


@pytest.mark.parametrize(
    "words", [("cordon", "n1", "--reason", "loud fan"), ("return", "n1"), ("cordon", "n1")]
)
async def test_nothing_is_done_where_nobody_can_be_asked(
    sickbay: Typed, fleet_operations: FakeFleetOperations, words: tuple[str, ...]
) -> None:
    done = await sickbay(*words)
    assert done.exit_code == 2
    assert "nobody is here to be asked" in done.stderr
    assert fleet_operations.asked == []


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.DONE, 0), (Verdict.RETRY, 1), (Verdict.FAILED, 1), (Verdict.UNKNOWN, 3)],
)
async def test_what_came_of_it_is_the_exit_code(
    sickbay: Typed, fleet_operations: FakeFleetOperations, verdict: Verdict, code: int
) -> None:
    async def give_back(_node: str, *, operator: str) -> Outcome:
        return Outcome(verdict=verdict, detail=f"so it is, {operator}")

    fleet_operations.give_back = give_back  # type: ignore[method-assign]  # the fake tells another story
    done = await sickbay("return", "n1", "--yes", "-o", "json")
    assert done.exit_code == code
    assert json.loads(done.stdout) == {"node": "n1", "verdict": verdict.value, "detail": "so it is, ann"}


async def test_a_refusal_is_told_in_the_coordinators_words(sickbay: Typed) -> None:
    done = await sickbay("return", "n1", "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "n1 is not out of service, ann" in done.stderr
