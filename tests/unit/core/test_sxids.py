"""The SXid catalogue: typed, whole, and as grave as the graver of its guide and the driver."""

import csv
from pathlib import Path

import pytest

from sickbay.core.sxid_words import SxidGrade
from sickbay.core.sxids import codes, lookup
from sickbay.core.xid_words import ImmediateAction, XidClass

CATALOGUE = Path(__file__).resolve().parents[3] / "rules" / "catalogue"


def test_every_code_of_the_table_is_in_the_catalogue() -> None:
    with (CATALOGUE / "sxids.csv").open(newline="", encoding="utf-8") as file:
        listed = {int(row["sxid"]): row for row in csv.DictReader(file)}
    assert codes() == frozenset(listed)
    assert len(codes()) == 93
    assert {code: (lookup(code).name, lookup(code).grade.value) for code in codes()} == {
        code: (row["name"], row["class"]) for code, row in listed.items()
    }


@pytest.mark.parametrize(
    ("code", "severity", "action"),
    [
        (10003, "Non-fatal", ImmediateAction.RESTART_BM),
        (12020, "Fatal", ImmediateAction.RESTART_BM),
        (20034, "Fatal", ImmediateAction.RESET_GPU),
        (20034, "Non-fatal", ImmediateAction.NONE),
        (20034, "", ImmediateAction.UNKNOWN),
        (12028, "Non-fatal", ImmediateAction.NONE),
        (12028, "", ImmediateAction.NONE),
        (12028, "Fatal", ImmediateAction.RESET_GPU),
        (99999, "Fatal", ImmediateAction.UNKNOWN),
        (99999, "Non-fatal", ImmediateAction.UNKNOWN),
    ],
)
def test_what_is_asked_for_follows_the_graver_word(code: int, severity: str, action: ImmediateAction) -> None:
    assert lookup(code).action_when(severity) is action


@pytest.mark.parametrize(
    ("code", "klass"),
    [(12028, XidClass.FABRIC), (11012, XidClass.INFORMATIONAL), (99999, XidClass.UNKNOWN)],
)
def test_a_code_has_the_class_of_what_it_reports(code: int, klass: XidClass) -> None:
    assert lookup(code).klass is klass


def test_an_unlisted_code_is_a_normal_input() -> None:
    assert (lookup(31).name, lookup(31).grade) == ("SXid 31", SxidGrade.UNKNOWN)
