"""The catalogue: every listed code is typed, and an unlisted one is a normal input."""

import csv
from pathlib import Path

import pytest

from sickbay.core.recovery_actions import RecoveryAction
from sickbay.core.xid_words import ImmediateAction, InvestigatoryAction, XidClass
from sickbay.core.xids import XIDS, asked_by_driver, lookup

CATALOGUE = Path(__file__).resolve().parents[3] / "rules" / "catalogue"


def rows(name: str) -> list[dict[str, str]]:
    with (CATALOGUE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_code_of_the_table_is_in_the_catalogue():
    assert {int(row["xid"]) for row in rows("xids.csv")} == set(XIDS)
    assert len(XIDS) == 178


def test_every_class_has_its_reason():
    assert [row["xid"] for row in rows("xid_classes.csv") if not row["because"]] == []
    assert all(xid.because and xid.source and xid.name for xid in XIDS.values())


@pytest.mark.parametrize(
    ("code", "klass", "action"),
    [
        (13, XidClass.APPLICATION, ImmediateAction.RESTART_APP),
        (31, XidClass.APPLICATION, ImmediateAction.RESTART_APP),
        (43, XidClass.APPLICATION, ImmediateAction.NONE),
        (45, XidClass.SECONDARY, ImmediateAction.WORKFLOW_XID_45),
        (48, XidClass.HARDWARE, ImmediateAction.WORKFLOW_XID_48),
        (61, XidClass.UNUSED, ImmediateAction.CONTACT_SUPPORT),
        (63, XidClass.HARDWARE, ImmediateAction.NONE),
        (64, XidClass.HARDWARE, ImmediateAction.RESET_GPU),
        (74, XidClass.FABRIC, ImmediateAction.WORKFLOW_NVLINK_ERR),
        (79, XidClass.HARDWARE, ImmediateAction.RESTART_BM),
        (94, XidClass.APPLICATION, ImmediateAction.RESTART_APP),
        (95, XidClass.HARDWARE, ImmediateAction.RESET_GPU),
        (119, XidClass.HARDWARE, ImmediateAction.RESET_GPU),
        (149, XidClass.FABRIC, ImmediateAction.WORKFLOW_NVLINK5_ERR),
        (154, XidClass.INFORMATIONAL, ImmediateAction.XID_154),
        (167, XidClass.HARDWARE, ImmediateAction.UNKNOWN),
    ],
)
def test_well_known_codes_have_the_class_and_action_that_people_expect(
    code: int,
    klass: XidClass,
    action: ImmediateAction,
):
    assert (lookup(code).klass, lookup(code).action) == (klass, action)


def test_all_that_the_catalogue_calls_unused_is_unused():
    unused = {int(row["xid"]) for row in rows("xids.csv") if row["notes"].startswith("Unused on Ampere+")}
    assert all(lookup(code).klass is XidClass.UNUSED for code in unused)


@pytest.mark.parametrize(("code", "since"), [(48, 565), (109, 570), (143, 575), (158, 0), (119, None)])
def test_whether_xid_154_follows_is_known(code: int, since: int | None):
    assert lookup(code).recovery_since == since


def test_an_unlisted_code_is_unknown_and_no_error():
    xid = lookup(12345)
    assert xid.klass is XidClass.UNKNOWN
    assert xid.action is ImmediateAction.UNKNOWN
    assert xid.investigate is InvestigatoryAction.UNKNOWN
    assert not xid.is_listed
    assert xid.name == "Xid 12345"


def test_every_recovery_action_has_a_word_of_the_catalogue():
    assert {action: asked_by_driver(action).value for action in RecoveryAction} == {
        RecoveryAction.NONE: "NONE",
        RecoveryAction.GPU_RESET: "RESET_GPU",
        RecoveryAction.BUS_RESET: "RESET_GPU",
        RecoveryAction.NODE_REBOOT: "RESTART_BM",
        RecoveryAction.SYSTEM_REBOOT: "RESTART_BM",
        RecoveryAction.DRAIN_P2P: "DRAIN_P2P",
        RecoveryAction.DRAIN_AND_RESET: "DRAIN_AND_RESET",
        RecoveryAction.RECOVER_IMEX_DOMAIN: "RECOVER_IMEX_DOMAIN",
        RecoveryAction.UNKNOWN: "UNKNOWN",
    }
