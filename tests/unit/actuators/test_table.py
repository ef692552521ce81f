"""The table of effects is the folder of effects."""

from pathlib import Path

import sickbay.actuators
from sickbay.actuators.table import ACTUATORS


def test_every_file_of_the_folder_is_in_the_table_and_nothing_else() -> None:
    folder = Path(sickbay.actuators.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "table"}
    assert {actuator.__module__.rpartition(".")[2] for actuator in ACTUATORS.values()} == files
