"""Scenarios are read whole or refused with file and line."""

from pathlib import Path

import pytest

from sickbay.core.problems import RefusedError
from sickbay.sim.scenario import Ecc, Hang, Lost, Xid, as_record, load_scenario, parse_fault


def write(folder: Path, text: str) -> Path:
    file = folder / "scenario.yaml"
    file.write_text(text)
    return file


def test_a_scenario_is_a_list_of_faults_with_their_times(tmp_path: Path):
    scenario = load_scenario(
        write(
            tmp_path,
            """
about: a bad day
faults:
  - {at: 5s, gpu: 3, fault: lost}
  - {at: 20s, gpu: 0, fault: ecc, corrected_per_s: 17000, until: 1m}
  - {at: 30s, gpu: 1, fault: hang, call: nvmlDeviceGetTemperatureV, seconds: 8s}
""",
        )
    )
    lost, ecc, hang = scenario.faults
    assert isinstance(lost, Lost)
    assert isinstance(ecc, Ecc)
    assert isinstance(hang, Hang)
    assert (lost.at, lost.gpu, lost.until) == (5.0, 3, "reboot")
    assert as_record(ecc, at=20.0) == {
        "fault": "ecc",
        "at": 20.0,
        "gpu": 0,
        "until": 60.0,
        "corrected_per_s": 17000.0,
        "uncorrected": 0,
    }
    assert as_record(hang, at=30.0)["seconds"] == 8.0


def test_an_empty_scenario_lets_nothing_go_wrong(tmp_path: Path):
    assert load_scenario(write(tmp_path, "")).faults == ()


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("{at: 5s, gpu: 3, fault: lsot}", "lsot"),
        ("{at: 5s, fault: lost}", "needs a slot"),
        ("{at: 5, gpu: 3, fault: lost}", "a duration with its unit"),
        ("{at: 5s, gpu: -1, fault: lost}", "slots count from 0"),
        ("{at: 5s, gpu: 3, fault: xid}", "code"),
        ("{at: 5s, gpu: 3, fault: xid, code: seven}", "int"),
        ("{at: 5s, gpu: 3, fault: hang, call: nvmlDeviceGetFish}", "nvmlDeviceGetFish is not simulated"),
        ("{at: 5s, gpu: 3, fault: lost, until: tomorrow}", "one of reboot, reset, never or a duration"),
        ("{at: 5s, gpu: 3, fault: lost, colour: red}", "colour"),
    ],
)
def test_what_is_no_fault_is_refused_with_its_line(tmp_path: Path, entry: str, complaint: str):
    file = write(tmp_path, f"faults:\n  - {{at: 1s, gpu: 0, fault: lost}}\n  - {entry}\n")
    with pytest.raises(RefusedError, match=complaint) as caught:
        load_scenario(file)
    assert f"{file}:3:" in str(caught.value)


def test_a_fault_on_one_line_is_read_as_in_a_file():
    assert parse_fault('{"fault": "xid", "gpu": 2, "code": 48}') == Xid(gpu=2, code=48)
    with pytest.raises(ValueError, match="needs a slot"):
        parse_fault('{"fault": "lost"}')
    with pytest.raises(ValueError, match="nothing"):
        parse_fault('{"fault": "nothing", "gpu": 1}')
    with pytest.raises(ValueError, match="malformed"):
        parse_fault("lost")
