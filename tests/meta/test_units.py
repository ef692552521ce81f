"""The systemd units are well formed, and as closed as their programs allow."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.meta.tree import ROOT

SERVICES = ("sickbay-agent.service", "sickbay-coordinator.service")
EXPOSURE = 2.5
"""The most that `systemd-analyze security` may find, on its scale from 0 to 10. The agent sees /home, where
network mounts are, and may ask for the state of the clock, by a call that sets it for who has the right."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, reading nothing but what it is given."""
    return subprocess.run(
        ["systemd-analyze", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_understands_every_line_of_the_unit(unit: str, tmp_path: Path) -> None:
    """An unknown key only warns and exits 0, so the warnings are read; the programs need not be installed."""
    here = tmp_path / unit
    shipped = (ROOT / "systemd" / unit).read_text()
    here.write_text(re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", shipped, flags=re.MULTILINE))
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(here))
    about = [line for line in done.stderr.splitlines() if unit in line]
    assert (done.returncode, about) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_hardly_exposed(unit: str) -> None:
    threshold = f"--threshold={round(EXPOSURE * 10)}"
    done = analyze("security", "--offline=true", "--no-pager", threshold, f"systemd/{unit}")
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
