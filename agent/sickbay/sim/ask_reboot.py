"""The reboot command of a simulated host: `python -m sickbay.sim.ask_reboot FOLDER`."""

import sys
from pathlib import Path

from sickbay.sim.host import request_file

if __name__ == "__main__":
    request_file(Path(sys.argv[1])).touch()
