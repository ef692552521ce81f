"""`sickbay maintenance`, as typed."""

from tests.fakes.order_operations import NOW, FakeOrderOperations
from tests.unit.cli.conftest import Typed

from sickbay.core.maintenance import Recurrence


async def test_a_window_is_opened_at_once_for_a_while(sickbay: Typed, order_operations: FakeOrderOperations):
    result = await sickbay("maintenance", "add", "rack:r12", "--for", "4h", "--reason", "new PDU")
    assert result.exit_code == 0, result.output
    (order,) = order_operations.held.values()
    assert (order.kind.value, order.area, order.ends_at) == ("maintenance", "rack:r12", NOW + 14_400.0)


async def test_a_window_may_begin_later(sickbay: Typed, order_operations: FakeOrderOperations):
    result = await sickbay("maintenance", "add", "fleet", "--for", "1h", "--at", "1970-01-01 02:00")
    assert result.exit_code == 0, result.output
    (order,) = order_operations.held.values()
    assert (order.begins_at, order.ends_at) == (7_200.0, 10_800.0)
    assert "from 1970-01-01 02:00:00Z" in result.stdout


async def test_a_window_may_recur(sickbay: Typed, order_operations: FakeOrderOperations):
    result = await sickbay("maintenance", "add", "pool:h100", "--for", "2h", "--every", "sat 02:00")
    assert result.exit_code == 0, result.output
    (order,) = order_operations.held.values()
    assert order.recurs == Recurrence(days=(5,), start=7_200.0, length=7_200.0)
    assert "sat 02:00 UTC for 2h00m" in (await sickbay("maintenance", "list")).stdout


async def test_what_cannot_be_meant_is_wrong_use(sickbay: Typed):
    for words in (
        ("--for", "2h", "--every", "someday"),
        ("--for", "2h", "--at", "tomorrow"),
        ("--for", "2h", "--every", "sat 02:00", "--at", "2026-12-01 02:00"),
    ):
        result = await sickbay("maintenance", "add", "fleet", *words)
        assert result.exit_code == 2, words


async def test_a_window_is_ended_and_a_pause_beside_it_is_not(
    sickbay: Typed, order_operations: FakeOrderOperations
):
    await sickbay("pause", "rack:r12")
    await sickbay("maintenance", "add", "rack:r12", "--for", "4h")
    result = await sickbay("maintenance", "end", "rack:r12")
    assert result.exit_code == 0, result.output
    assert [order.kind.value for order in order_operations.held.values()] == ["pause"]
    assert (await sickbay("maintenance", "end", "rack:r12")).exit_code == 1
