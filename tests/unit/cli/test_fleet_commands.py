"""What operators ask of the coordinator, and what they tell it to do."""

import json

import pytest
from tests.fakes.operations import FakeFleetOperations
from tests.fakes.words import an_incident
from tests.unit.cli.conftest import Typed

from sickbay.core.outcomes import Outcome, Verdict


async def test_the_fleet_is_a_row_a_node(sickbay: Typed) -> None:
    done = await sickbay("nodes")
    assert done.exit_code == 0
    assert "n1    connected  8     fatal" in done.stdout
    assert (
        "1 of 1 nodes connected, 1 incidents open, 1 remediations; mode act, scheduler slurm" in done.stdout
    )


async def test_a_node_shows_who_holds_it_and_what_is_wrong(sickbay: Typed) -> None:
    said = (await sickbay("node", "n1")).stdout
    assert "DRAINING (sickbay:inc-1:gpu-lost), schedulable unknown, held by ours" in said
    assert "GpuLost" in said
    assert an_incident().id in said


async def test_a_node_that_nobody_knows_is_an_error(sickbay: Typed) -> None:
    done = await sickbay("node", "nowhere")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "sickbay: no node is called nowhere\n")


async def test_incidents_are_listed_as_asked_for(
    sickbay: Typed, fleet_operations: FakeFleetOperations
) -> None:
    done = await sickbay("incidents", "--all", "--node", "n1", "-o", "json")
    assert [found["id"] for found in json.loads(done.stdout)] == [an_incident().id]
    assert fleet_operations.asked == [("n1", True, 100)]
    assert an_incident().id in (await sickbay("incidents")).stdout


async def test_the_fleets_history_names_its_nodes(sickbay: Typed) -> None:
    assert "NODE" in (await sickbay("events", "--fleet", "--since", "1h")).stdout
    assert (await sickbay("events", "--fleet", "--node", "n1")).exit_code == 2


async def test_an_incident_is_explained_whole(sickbay: Typed) -> None:
    done = await sickbay("explain", an_incident().id)
    assert done.exit_code == 0
    for part in ("It rests on", "Gates: not asked yet", "reboot, draining since", "Next: ", "T0", "T8"):
        assert part in done.stdout
    value = json.loads((await sickbay("explain", an_incident().id, "-o", "json")).stdout)
    assert value["next"].startswith("the node's jobs end by themselves; at the latest at ")


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
