"""docs/monitors.md names what there is: every monitor, how often it looks, and every condition."""

import re

from tests.meta.tree import text

from sickbay.host.nvml.catalogue import EVERY
from sickbay.host.rule_files import load_rules
from sickbay.monitors.host_table import CONFIGURED_MONITORS, HOST_MONITORS
from sickbay.monitors.table import EVENT_MONITORS, SWEEP_MONITORS

PAGE = text("docs/monitors.md")
OURS, _, COMPARISON = PAGE.partition("## Beside other monitors")
ROWS = {
    name: (interval, conditions)
    for name, interval, conditions in re.findall(
        r"^\| `(\w+)` \| .* \| ([^|]+) \| ([^|]+) \|$", OURS, re.MULTILINE
    )
}


def span(seconds: float) -> str:
    return "each hour" if seconds == EVERY["inforom"] else f"{seconds:g} s"


def test_every_monitor_has_a_row_and_every_row_is_a_monitor() -> None:
    assert {*ROWS} == {*SWEEP_MONITORS, *EVENT_MONITORS, *HOST_MONITORS, *CONFIGURED_MONITORS}


def test_the_intervals_are_those_of_the_tables() -> None:
    expected = {
        **{name: span(EVERY[monitor.group]) for name, monitor in SWEEP_MONITORS.items() if monitor.group},
        **{name: span(monitor.every) for name, monitor in HOST_MONITORS.items()},
    }
    assert {name: ROWS[name][0] for name in expected} == expected


def test_every_condition_that_a_rule_makes_is_named_and_no_other() -> None:
    made = {rule.condition.type for rule in load_rules().rules.rules}
    named = {type_ for _, conditions in ROWS.values() for type_ in re.findall(r"`(\w+)`", conditions)}
    beside = set(re.findall(r"`([A-Z]\w+)`", OURS.partition("Beside these the agent tells")[2]))
    assert named - made == set()
    assert made - named - beside == set()


def test_the_comparison_has_a_verdict_in_every_cell() -> None:
    rows = re.findall(r"^\| .*\|$", COMPARISON, re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(cells) > 2
    assert all(len(row) == len(cells[0]) and all(row) for row in cells)
