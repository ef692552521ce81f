"""`sickbay nodes` and `sickbay node`: the fleet as its coordinator sees it."""

from tests.fakes.words import an_incident
from tests.unit.cli.conftest import Typed


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
