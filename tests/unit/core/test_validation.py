"""What a node must show before it works again."""

from dataclasses import replace

import pytest
from tests.fakes.agent import GPUS
from tests.fakes.words import a_condition

from sickbay.core.conditions import Severity, Status
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, IncidentId, NodeName, RuleId
from sickbay.core.orchestration import Hold, NodeObservation, Ownership, RebootProgress
from sickbay.core.outcomes import Verdict
from sickbay.core.remedies import RungKind
from sickbay.core.validation import Showing, judge

HELD = NodeObservation(
    node=NodeName("n1"),
    at=1.0,
    ownership=Ownership.OURS,
    schedulable=False,
    hold=Hold(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost")),
)

WELL = Showing(
    after=RungKind.REBOOT,
    boot_before=BootId("boot-1"),
    boot_now=BootId("boot-2"),
    told_all=True,
    swept=True,
    baseline=Inventory(gpus=GPUS),
    inventory=Inventory(gpus=GPUS),
    answered_before=True,
    recovery={gpu.pci: "NONE" for gpu in GPUS},
    conditions=(),
    families=frozenset({"gpu"}),
    gpus=frozenset({GPUS[0].pci}),
    scheduler=HELD,
)

LOST = replace(a_condition(), family="gpu")


def test_a_node_that_shows_everything_is_proved():
    outcome = judge(WELL)
    assert outcome.verdict is Verdict.DONE
    assert outcome.detail == "a new boot, 8 GPUs, no recovery asked for, no open condition"


@pytest.mark.parametrize(
    ("changes", "verdict", "detail"),
    [
        ({"boot_now": BootId("boot-1")}, Verdict.RETRY, "no new boot was seen yet"),
        ({"boot_now": None}, Verdict.RETRY, "no new boot was seen yet"),
        ({"told_all": False}, Verdict.RETRY, "full state"),
        ({"swept": False}, Verdict.RETRY, "read everything anew"),
        ({"baseline": None}, Verdict.UNKNOWN, "never seen well"),
        (
            {"inventory": Inventory(gpus=GPUS[2:])},
            Verdict.RETRY,
            "2 of 8 GPUs are missing: 0000:00:00, 0000:01:00",
        ),
        (
            {"baseline": Inventory(), "inventory": Inventory()},
            Verdict.UNKNOWN,
            "0000:00:00, which had the fault, is not seen by a driver",
        ),
        ({"recovery": {}}, Verdict.UNKNOWN, "does not say what 0000:00:00 needs"),
        (
            {"recovery": {gpu.pci: "GPU_RESET" for gpu in GPUS}},
            Verdict.RETRY,
            "the driver asks for GPU_RESET on 0000:00:00",
        ),
        ({"conditions": (LOST,)}, Verdict.FAILED, "the fault came back: GpuLost (XID_79)"),
        (
            {"conditions": (replace(LOST, severity=Severity.WARNING),)},
            Verdict.RETRY,
            "still open: GpuLost",
        ),
        ({"conditions": (replace(LOST, family="other"),)}, Verdict.RETRY, "still open: GpuLost"),
        ({"conditions": (replace(LOST, status=Status.UNKNOWN),)}, Verdict.UNKNOWN, "not known: GpuLost"),
        (
            {"scheduler": replace(HELD, reboot=RebootProgress.ISSUED)},
            Verdict.RETRY,
            "the scheduler has the node",
        ),
        ({"scheduler": replace(HELD, obstacle="MAINTENANCE")}, Verdict.RETRY, "MAINTENANCE"),
        (
            {"scheduler": replace(HELD, ownership=Ownership.UNKNOWN, hold=None, detail="no answer")},
            Verdict.UNKNOWN,
            "does not show our hold: no answer",
        ),
    ],
)
def test_whatever_is_missing_is_named(changes: dict[str, object], verdict: Verdict, detail: str):
    outcome = judge(replace(WELL, **changes))
    assert outcome.verdict is verdict
    assert detail in outcome.detail


def test_a_driver_that_never_answered_for_recovery_actions_is_not_asked():
    assert judge(replace(WELL, answered_before=False, recovery={})).verdict is Verdict.DONE


def test_a_fault_that_went_away_by_itself_needs_no_new_boot():
    assert judge(replace(WELL, after=None, boot_now=BootId("boot-1"))).verdict is Verdict.DONE


def test_what_is_only_said_for_information_keeps_no_node_out():
    assert judge(replace(WELL, conditions=(replace(LOST, severity=Severity.INFO),))).verdict is Verdict.DONE


def test_a_gpu_of_another_serial_in_the_same_slot_is_no_missing_gpu():
    swapped = (replace(GPUS[0], uuid="GPU-new", serial="2"), *GPUS[1:])
    assert judge(replace(WELL, inventory=Inventory(gpus=swapped))).verdict is Verdict.DONE
