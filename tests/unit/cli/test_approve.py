"""`sickbay approve` and `deny`, as typed."""

from tests.fakes.order_operations import FakeOrderOperations
from tests.fakes.words import an_incident
from tests.unit.cli.conftest import Typed


async def test_a_word_shows_what_it_is_about_and_is_given_in_a_persons_name(
    sickbay: Typed, order_operations: FakeOrderOperations
):
    ident = an_incident().id
    asked = await sickbay("approve", ident)
    assert asked.exit_code == 2
    assert f"{ident}:" in asked.stderr
    assert not order_operations.said
    done = await sickbay("approve", ident, "--yes", "--reason", "seen it")
    assert done.exit_code == 0, done.output
    assert f"{ident}: approved: reboot for XID_79 on n1" in done.stdout
    assert order_operations.said == [("approve", ident, "ann", "seen it")]


async def test_a_denial_likewise(sickbay: Typed, order_operations: FakeOrderOperations):
    ident = an_incident().id
    done = await sickbay("deny", ident, "--yes")
    assert done.exit_code == 0, done.output
    assert order_operations.said == [("deny", ident, "ann", "")]


async def test_an_incident_that_nobody_knows_is_said(sickbay: Typed):
    result = await sickbay("approve", "inc-none", "--yes")
    assert result.exit_code == 1
    assert "no incident" in result.stderr
