"""`sickbay budget`, as typed."""

import json

from tests.unit.cli.conftest import Typed


async def test_each_group_shows_what_it_has_used(sickbay: Typed):
    result = await sickbay("budget")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].split() == [
        "pool:h100",
        "40",
        "2/2",
        "1/2",
        "1h00m",
        "no",
        "n1,",
        "n2",
    ]


async def test_a_program_reads_the_same(sickbay: Typed):
    (told,) = json.loads((await sickbay("budget", "-o", "json")).stdout)
    assert (told["share"]["out"], told["nodes"]) == (2, ["n1", "n2"])
