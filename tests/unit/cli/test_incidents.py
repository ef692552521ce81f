"""`sickbay incidents`: open ones, and closed ones when asked for."""

import json

from tests.fakes.operations import FakeFleetOperations
from tests.fakes.words import an_incident
from tests.unit.cli.conftest import Typed


async def test_incidents_are_listed_as_asked_for(
    sickbay: Typed, fleet_operations: FakeFleetOperations
) -> None:
    done = await sickbay("incidents", "--all", "--node", "n1", "-o", "json")
    assert [found["id"] for found in json.loads(done.stdout)] == [an_incident().id]
    assert fleet_operations.asked == [("n1", True, 100)]
    assert an_incident().id in (await sickbay("incidents")).stdout
