"""`sickbay events`: of this host, a node, or the fleet."""

from tests.unit.cli.conftest import Typed


async def test_the_fleets_history_names_its_nodes(sickbay: Typed) -> None:
    assert "NODE" in (await sickbay("events", "--fleet", "--since", "1h")).stdout
    assert (await sickbay("events", "--fleet", "--node", "n1")).exit_code == 2


async def test_a_hosts_history_comes_from_its_agent(sickbay: Typed) -> None:
    done = await sickbay("events")
    assert done.exit_code == 0
    assert "1970-01-01 00:00:03Z  event-1  xid   gpu/0000:1b:00  code=79" in done.stdout
