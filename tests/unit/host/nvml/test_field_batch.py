"""Values come out of the driver's union by the type that it names."""

import mmap
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.field_batch import Batches, decode
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
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


def test_a_field_that_the_driver_passes_over_has_no_value_and_not_the_last_gpus(tmp_path: Path):
    with loaded(create_node(tmp_path).path):
        caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
        batch = Batches().of((("recovery_action", 230, 0), ("tlimit_slowdown", 194, 0)))
        handle = caller.ask("nvmlDeviceGetHandleByIndex", 0)
        assert batch.read(caller, 0, handle) == [("recovery_action", 0, 0), ("tlimit_slowdown", 0, -2)]
        idle = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
        with loaded(tmp_path) as silent:
            vars(silent)["nvmlDeviceGetFieldValues"] = lambda *_: 0
            assert [code for _, code, _ in batch.read(idle, 0, handle)] == [999, 999]
