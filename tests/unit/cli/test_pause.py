"""`sickbay pause` and `resume`, as typed."""

import json

from tests.fakes.order_operations import NOW, FakeOrderOperations
from tests.unit.cli.conftest import Typed


async def test_a_pause_holds_over_an_area_for_a_while_in_a_persons_name(
    sickbay: Typed, order_operations: FakeOrderOperations
):
    result = await sickbay("pause", "gpu-07", "--for", "2h", "--reason", "fan is loud")
    assert result.exit_code == 0, result.output
    (order,) = order_operations.held.values()
    assert (order.area, order.by, order.reason) == ("node:gpu-07", "ann", "fan is loud")
    assert order.ends_at == NOW + 7_200.0
    assert "node:gpu-07  now" in result.stdout


async def test_a_program_reads_the_same(sickbay: Typed):
    result = await sickbay("pause", "fleet", "-o", "json")
    told = json.loads(result.stdout)
    assert (told["order"]["area"], told["in_force"], told["until"]) == ("fleet", True, None)


async def test_what_is_no_area_is_wrong_use_and_names_the_forms(sickbay: Typed):
    result = await sickbay("pause", "room:1")
    assert result.exit_code == 2
    assert "expected fleet, pool:NAME" in result.stderr


async def test_a_resume_shows_what_it_ends_and_needs_a_yes(
    sickbay: Typed, order_operations: FakeOrderOperations
):
    await sickbay("pause", "rack:r1", "--reason", "new PDU")
    asked = await sickbay("resume", "rack:r1")
    assert asked.exit_code == 2
    assert "pause over rack:r1: new PDU" in asked.stderr
    assert order_operations.held
    done = await sickbay("resume", "rack:r1", "--yes", "--reason", "ready")
    assert done.exit_code == 0, done.output
    assert not order_operations.held
    assert order_operations.said == [("end", "rack:r1", "ann", "ready")]


async def test_an_order_is_ended_by_its_id_too(sickbay: Typed, order_operations: FakeOrderOperations):
    await sickbay("pause", "fleet")
    await sickbay("resume", "pause-1", "--yes")
    assert not order_operations.held


async def test_nothing_to_resume_is_said(sickbay: Typed):
    result = await sickbay("resume", "fleet", "--yes")
    assert result.exit_code == 1
    assert "no order 'fleet'" in result.stderr
