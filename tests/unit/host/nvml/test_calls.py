"""Every driver call is announced, timed, and fails as a return code."""

import mmap
from pathlib import Path

import pytest
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import CALL_IDS, CALLS, UNREADABLE
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.scenario import Returns
from sickbay.sim.simulated_node import create_node, inject_fault


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return create_node(tmp_path / "node").path


@pytest.fixture
def slot() -> Slot:
    return Slot(mmap.mmap(-1, SIZE), SWEEP)


def test_the_slot_names_the_call_while_it_lasts_and_nothing_after(node: Path, slot: Slot):
    seen = []
    with loaded(node) as library:
        library.wait = lambda _timeout: seen.append(slot.read()) or (0, 8, 79)  # type: ignore[method-assign]
        Caller(slot).ask("nvmlEventSetWait", None, 5000, gpu=5)
    assert [(call, gpu) for call, gpu, _ in seen] == [(CALL_IDS["nvmlEventSetWait"], 5)]
    assert slot.read()[0] == 0


def test_a_refusal_is_its_code_and_the_slot_is_clear(node: Path, slot: Slot):
    inject_fault(node, Returns(call="nvmlDeviceGetCount", code=999))
    with loaded(node), pytest.raises(CallFailedError) as caught:
        Caller(slot).ask("nvmlDeviceGetCount")
    assert (caught.value.call, caught.value.code) == ("nvmlDeviceGetCount", 999)
    assert slot.read()[0] == 0


def test_a_text_that_is_none_is_unreadable(node: Path, slot: Slot):
    with loaded(node) as library:
        library.driver_version = "\udcff\udcfe"
        with pytest.raises(CallFailedError) as caught:
            Caller(slot).ask("nvmlSystemGetDriverVersion")
    assert caught.value.code == UNREADABLE


def test_calls_are_counted_and_timed(node: Path, slot: Slot):
    with loaded(node):
        caller = Caller(slot)
        for _ in range(3):
            caller.ask("nvmlDeviceGetCount")
    count, total, longest = caller.latencies["nvmlDeviceGetCount"]
    assert count == 3
    assert 0 < longest <= total


def test_every_call_of_the_list_has_its_own_number():
    assert sorted(CALL_IDS.values()) == list(range(1, len(CALLS) + 1))
