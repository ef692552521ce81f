"""NVLink 5 registers: both layouts, promoted errors, several bits at once, and what fits no row."""

import csv
from pathlib import Path

import pytest

from sickbay.core.nvlink5 import Layout, decode
from sickbay.core.xid_lines import NvLink5
from sickbay.core.xid_words import ImmediateAction, InvestigatoryAction

TABLE = Path(__file__).resolve().parents[3] / "rules" / "catalogue" / "xids_nvlink5.csv"
with TABLE.open(newline="", encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


def link(unit: str, *registers: int, severity: str = "Fatal") -> NvLink5:
    return NvLink5(
        unit=unit, severity=severity, cross_contained=False, injected=False, link=1, registers=registers
    )


def word(pattern: str) -> int:
    return int(pattern.replace("-", "0"), 2)


def action(text: str) -> ImmediateAction:
    return ImmediateAction("NONE" if text == "IGNORE" else text)


@pytest.mark.parametrize("branch", [550, 574, 575, 580, 595])
@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['unit']}-{row['error_status']}-{row['intrinfo_v2']}"
)
def test_every_row_is_found_by_its_unit_on_every_branch(row: dict[str, str], branch: int) -> None:
    status = 0 if row["error_status"] == "any" else int(row["error_status"].split("/")[0], 16)
    layout = "intrinfo_v2" if branch >= 575 else "intrinfo_v1"
    for unit in {row["unit"], *row["unit"].split("/")}:
        decoded = decode(int(row["xid"]), link(unit, word(row[layout]), status), branch)
        assert decoded is not None
        # Before R575 the two pipes of a unit cannot be told apart; the line's own word for it is kept then.
        assert decoded.unit in {row["unit"], unit}
        assert decoded.action is action(row["immediate_action"])
        if row["action2"]:
            promoted = decode(int(row["xid"]), link(unit, word(row[f"action2_{layout}"]), status), branch)
            assert promoted is not None
            assert promoted.action is ImmediateAction.RESET_GPU


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['unit']}-{row['error_status']}-{row['intrinfo_v2']}"
)
@pytest.mark.parametrize("layout", ["intrinfo_v1", "intrinfo_v2"])
def test_without_the_branch_a_line_is_decoded_rightly_or_not_at_all(row: dict[str, str], layout: str) -> None:
    status = 0 if row["error_status"] == "any" else int(row["error_status"].split("/")[0], 16)
    decoded = decode(int(row["xid"]), link(row["unit"], word(row[layout]), status))
    assert decoded is None or decoded.action is action(row["immediate_action"])


def test_a_real_line_of_an_older_driver_names_the_reason_of_the_link() -> None:
    decoded = decode(149, link("NETIR_LINK_EVT", 0x025001C6, 0))
    assert decoded is not None
    assert (decoded.layout, decoded.link_down) == (Layout.BEFORE_R575, 0b100101)
    assert decoded.action is ImmediateAction.RESET_GPU
    assert decoded.investigate is InvestigatoryAction.INVESTIGATE_PEER_DEVICE


def test_a_link_that_was_told_to_go_down_asks_for_nothing() -> None:
    decoded = decode(149, link("NETIR_LINK_EVT", 0b100110 << 20 | 0b10001, 0), 580)
    assert decoded is not None
    assert decoded.action is ImmediateAction.NONE


def test_the_layout_of_the_wrong_branch_does_not_fit() -> None:
    assert decode(149, link("NETIR_LINK_EVT", 0x025001C6, 0), 580) is None


def test_of_several_bits_the_one_that_takes_most_counts() -> None:
    decoded = decode(144, link("SAW_MVB", 0b1, 0x1 | 0x2), 575)
    assert decoded is not None
    assert (decoded.action, decoded.unlisted) == (ImmediateAction.RESET_GPU, 0)


def test_a_bit_without_a_row_keeps_harmless_ones_from_meaning_nothing_to_do() -> None:
    decoded = decode(144, link("SAW_MVB", 0b1, 0x1 | 0x4000), 575)
    assert decoded is not None
    assert (decoded.action, decoded.unlisted) == (ImmediateAction.WORKFLOW_NVLINK5_ERR, 0x4000)
    assert "0x00004000" in str(decoded)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (149, link("NETIR")),
        (149, link("NETIR_LINK_EVT", 0x025001C6 | 0b111111 << 20, 0)),
        (144, link("SAW_MVB", 0b1)),
        (144, link("SAW_MVB", 0b1, 0)),
        (144, link("SAW_MVB", 0xFFFFFFFF, 0x1)),
        (151, link("SAW_MVB", 0b1, 0x1)),
    ],
)
def test_what_fits_no_row_is_not_decoded(code: int, line: NvLink5) -> None:
    assert decode(code, line) is None
