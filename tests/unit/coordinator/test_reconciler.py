"""One node's way through the coordinator, over a fake scheduler and a fake agent."""

from pathlib import Path

from tests.fakes.world import World

from sickbay.core.remediation import Step


async def test_a_lost_gpu_goes_the_whole_way_and_the_node_comes_back(tmp_path: Path):
    world = World.at(tmp_path)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert [verb for verb, _ in world.effects] == ["cordon", "reboot", "return_to_service"]
    assert world.agent.boot == 2
    assert not world.incident.is_open
    await world.stop()
