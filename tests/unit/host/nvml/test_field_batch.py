"""Values come out of the driver's union by the type that it names."""

import ctypes
import mmap
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.catalogue import INVALID_ARGUMENT
from sickbay.host.nvml.field_batch import Batches, decode
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.nvml import SimulatedNvml
from sickbay.sim.simulated_node import create_node


def union(format_: str, value: float) -> int:
    raw = struct.pack(format_, value).ljust(8, b"\xaa")
    return int.from_bytes(raw, "little")


@pytest.mark.parametrize(
    ("value_type", "format_", "value"),
    [
        (0, "<d", 1.5),
        (1, "<I", 2**32 - 1),
        (2, "<Q", 2**64 - 1),
        (3, "<Q", 2**63),
        (4, "<q", -5),
        (5, "<i", -40),
        (6, "<H", 65535),
    ],
)
def test_each_type_reads_its_own_member_and_no_byte_beyond(value_type: int, format_: str, value: float):
    assert decode(value_type, union(format_, value)) == value


def test_a_type_that_nobody_knows_is_no_value():
    assert decode(7, 1) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_value(value: float):
    assert decode(0, union("<d", value)) is None


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_any_bytes_are_a_number_or_no_value(value_type: int, raw: int):
    value = decode(value_type, raw)
    assert value is None or value == value  # noqa: PLR0124 - equal to itself: a number


WANTED = (("recovery_action", 230, 0), ("tlimit_slowdown", 194, 0), ("hw_power_brake_ns", 271, 0))


class Driver:
    """The simulated driver's first GPU, with another nvmlDeviceGetFieldValues laid over its own."""

    def __init__(self, library: SimulatedNvml) -> None:
        self.library = library
        self.answer = library.nvmlDeviceGetFieldValues
        self.batches = Batches()
        self.handle = self.caller().ask("nvmlDeviceGetHandleByIndex", 0)

    @staticmethod
    def caller() -> Caller:
        return Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))

    def read(self, instead: Callable[..., int] | None = None) -> dict[str, tuple[int, int | float]]:
        vars(self.library)["nvmlDeviceGetFieldValues"] = instead or self.answer
        vars(pynvml)["_nvmlGetFunctionPointer_cache"].clear()
        found = self.batches.read(WANTED, self.caller(), 0, self.handle)
        return {name: (code, value) for name, code, value in found}


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    with loaded(create_node(tmp_path).path) as library:
        yield Driver(library)


def test_a_field_that_the_driver_passes_over_has_no_value_and_not_the_one_from_before(driver: Driver):
    assert driver.read()["tlimit_slowdown"] == (0, -2)
    assert set(driver.read(lambda *_: 0).values()) == {(999, 0)}


def test_a_call_that_is_refused_whole_for_one_field_costs_that_field_alone(driver: Driver):
    def old(handle: object, count: ctypes.c_int, values: ctypes.Array[ctypes.Structure]) -> int:
        if any(value.fieldId == 271 for value in values):
            return INVALID_ARGUMENT
        return driver.answer(handle, count, values)

    assert driver.read(old) == {
        "recovery_action": (0, 0),
        "tlimit_slowdown": (0, -2),
        "hw_power_brake_ns": (INVALID_ARGUMENT, 0),
    }


def test_after_a_call_that_failed_each_field_keeps_its_own_refusal(driver: Driver):
    def none_populated(_handle: object, _count: object, values: ctypes.Array[ctypes.Structure]) -> int:
        values[0].nvmlReturn = 3
        return 10

    assert [code for code, _ in driver.read(none_populated).values()] == [3, 10, 10]
