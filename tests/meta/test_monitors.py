"""The table of monitors is the folder of monitors."""

from tests.meta.tree import ending

from sickbay.monitors.host_table import CONFIGURED_MONITORS, HOST_MONITORS
from sickbay.monitors.table import EVENT_MONITORS, SWEEP_MONITORS

NOT_MONITORS = {
    "__init__",
    "table",
    "levels",
    "known",
    "growth",
    "host_table",
    "host_known",
    "counter_hours",
    "parts",
    "coarse",
}


def test_every_file_of_the_folder_is_in_the_table_and_the_other_way_round() -> None:
    folder = "agent/sickbay/monitors/"
    stems = {
        name.removeprefix(folder).removesuffix(".py") for name in ending(".py") if name.startswith(folder)
    }
    assert stems - NOT_MONITORS == {*SWEEP_MONITORS, *EVENT_MONITORS, *HOST_MONITORS, *CONFIGURED_MONITORS}


def test_no_monitor_is_in_the_table_twice() -> None:
    assert not {*SWEEP_MONITORS} & {*EVENT_MONITORS}
    assert not {*HOST_MONITORS} & {*SWEEP_MONITORS, *EVENT_MONITORS}
