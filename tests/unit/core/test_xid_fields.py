"""What a line and the catalogue say of an Xid, as fields."""

import pytest

from sickbay.core.kinds import KINDS
from sickbay.core.xid_fields import branch_of, fields_of_code, fields_of_line
from sickbay.core.xid_lines import parse_xid
from sickbay.core.xids import XIDS


@pytest.mark.parametrize(
    ("version", "branch"),
    [("595.45.04", 595), ("535.104", 535), ("", None), ("simulated", None), ("12", None)],
)
def test_the_branch_is_the_first_number_of_a_version(version: str, branch: int | None) -> None:
    assert branch_of(version) == branch


@pytest.mark.parametrize("code", [*XIDS, 0, 178, 99_999])
def test_every_declared_field_is_there(code: int) -> None:
    assert fields_of_code(code).keys() == KINDS["xid"].keys()


def test_registers_decide_the_action_of_an_nvlink_5_line_and_the_branch_its_layout() -> None:
    line = parse_xid("NVRM: Xid (PCI:0009:01:00): 145, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x00000486 0x1)")
    assert line is not None
    assert fields_of_line(line, 595)["action"] == "RESET_GPU"
    assert fields_of_line(line, 565)["action"] == "WORKFLOW_NVLINK5_ERR"


def test_registers_of_xid_74_become_findings_and_an_advice() -> None:
    line = parse_xid(
        "NVRM: Xid (PCI:0009:01:00): 74, pid=1, name=a, NVLink: fatal error detected on "
        "link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)"
    )
    assert line is not None
    fields = fields_of_line(line)
    assert (fields["link"], fields["advised"]) == (6, "RESEAT_AND_DIAGNOSE")
    assert fields["findings"] == "register 1 bit 16: hardware or mechanical"
    assert fields["action"] == "WORKFLOW_NVLINK_ERR"
