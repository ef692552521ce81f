"""One host in rows: what a GPU is in a word, and what follows from a condition."""

from dataclasses import replace

import pytest
from tests.fakes.operations import host
from tests.fakes.words import GPU, a_condition

from sickbay.cli.host_report import STALE, gpu_rows, report_of, wrongs
from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import Gpu, Inventory
from sickbay.core.instants import Instant
from sickbay.core.signals import FieldValue, Signal

AT = 1000.0
HERE = Inventory(gpus=(Gpu(uuid="GPU-1", pci=GPU.pci, slot=3, name="H100"),))


def read(kind: str = "temperature", *, ago: float = 1.0, **fields: FieldValue) -> Signal:
    return Signal(kind=kind, subject=GPU, at=Instant(mono=1.0, wall=AT - ago), fields=fields)


def open_as(severity: Severity) -> Condition:
    return replace(a_condition(type_="Something"), severity=severity)


@pytest.mark.parametrize(
    ("state", "readings", "conditions"),
    [
        ("ok", (read(gpu=40),), ()),
        ("ok", (read(gpu=40),), (open_as(Severity.INFO),)),
        ("degraded", (read(gpu=40),), (open_as(Severity.WARNING),)),
        ("unhealthy", (read(gpu=40),), (open_as(Severity.CRITICAL),)),
        ("lost", (read("gpu_lost", lost=True, how="nvml"),), ()),
        ("lost", (read("gpu_lost", lost=None),), (a_condition(),)),
        ("absent", (read("gpu_lost", lost=True, how="missing"),), ()),
        ("absent", (read("gpu_presence", listed=False, on_bus=True),), ()),
        ("hung", (read("gpu_unresponsive", unresponsive=True),), ()),
        ("unknown", (), ()),
        ("unknown", (read(gpu=40, ago=STALE + 1),), ()),
        ("unknown", (read("gpu_unresponsive", unresponsive=None),), ()),
        ("unknown", (read(gpu=40),), (a_condition(type_="LinkDown", status=Status.UNKNOWN),)),
        ("unhealthy", (read(gpu=40, ago=STALE + 1),), (open_as(Severity.FATAL),)),
    ],
)
def test_a_gpu_is_in_one_word_and_what_is_old_is_never_well(
    state: str, readings: tuple[Signal, ...], conditions: tuple[Condition, ...]
) -> None:
    (row,) = gpu_rows(HERE, conditions, readings, at=AT)
    assert row.state == state


def test_a_gpu_that_no_longer_answers_keeps_its_row() -> None:
    (row,) = gpu_rows(Inventory(), (a_condition(),), (), at=AT)
    assert (row.pci, row.uuid, row.state) == (GPU.pci, "GPU-1", "lost")


def test_where_only_changes_are_told_age_proves_nothing() -> None:
    (row,) = gpu_rows(HERE, (), (read(gpu=40, ago=9000),), at=None)
    assert row.state == "ok"


@pytest.mark.parametrize(
    ("mode", "remedy", "coordinator", "then"),
    [
        (Mode.OBSERVE, "none", "", "nothing by itself: for a person"),
        (Mode.OBSERVE, "reboot", "", "nothing by itself (mode observe); what would help: reboot"),
        (Mode.PROPOSE, "reboot", "", "reboot is proposed, and waits for a person's word"),
        (Mode.ACT, "reboot", "", "reboot, as far as the cluster's mode and the gates allow"),
        (Mode.ACT, "reboot", "it is away", "nothing: it is away; reboot waits for it"),
    ],
)
def test_what_happens_next_is_said_by_mode_and_remedy(
    mode: Mode, remedy: str, coordinator: str, then: str
) -> None:
    (told,) = wrongs((replace(a_condition(), mode=mode, remedy=remedy),), coordinator=coordinator)
    assert told.next == then


def test_what_is_not_known_acts_on_nothing() -> None:
    (told,) = wrongs((replace(a_condition(status=Status.UNKNOWN), mode=Mode.ACT, remedy="reboot"),))
    assert told.next == "nothing: what is not known acts on nothing"


def test_the_gravest_comes_first_and_doubt_last() -> None:
    mild, grave = open_as(Severity.INFO), open_as(Severity.FATAL)
    doubtful = replace(grave, status=Status.UNKNOWN)
    assert [told.severity for told in wrongs((doubtful, mild, grave))] == ["fatal", "info", "fatal"]


def test_the_drivers_own_request_is_nvidias_word() -> None:
    asks = replace(a_condition(type_="GpuRecoveryAction"), reason="GPU_RESET")
    assert wrongs((asks,))[0].nvidia == "the driver asks for GPU_RESET"


def test_a_gpu_that_was_not_read_for_long_is_named_among_what_is_not_known() -> None:
    view = replace(host(), inventory=HERE, readings=(read(gpu=40, ago=125.0),), at=AT)
    assert [(each.what, each.why) for each in report_of(view).not_known] == [
        (f"GPU {GPU.pci}", "last read 2m05s ago")
    ]
