"""Every reading is a value, or says why it is none."""

import pytest
from tests.fakes.sweeps import gpu, gpu_in, sweep

from sickbay.host.nvml.readings import GpuState, Knowledge, Reading


@pytest.mark.parametrize(
    ("code", "knowledge"),
    [
        (3, Knowledge.NOT_APPLICABLE),
        (4, Knowledge.UNKNOWN),
        (10, Knowledge.UNKNOWN),
        (13, Knowledge.UNKNOWN),
        (15, Knowledge.LOST),
        (16, Knowledge.RESET_REQUIRED),
        (999, Knowledge.UNKNOWN),
        (4711, Knowledge.UNKNOWN),
    ],
)
def test_a_return_code_is_never_health_and_only_15_and_16_are_the_hardwares(code: int, knowledge: Knowledge):
    reading = Reading.refused(code)
    assert (reading.knowledge, reading.value) == (knowledge, None)
    assert reading.why


def test_a_code_that_nobody_named_keeps_its_number():
    assert Reading.refused(4711).why == "code 4711"


def test_a_reading_is_a_value_a_refusal_or_unasked():
    one = gpu(codes={"temperature": 4})
    assert one.reading("clocks_reasons") == Reading.of(1)
    assert one.reading("temperature") == Reading.refused(4)
    assert one.reading("no such thing").knowledge is Knowledge.UNKNOWN


def test_zero_is_a_value():
    assert gpu().reading("remap_failure") == Reading.of(0)


def test_a_gpu_that_was_left_out_says_why_for_every_reading():
    assert gpu_in(GpuState.UNSEEN, because="Xid 79").reading("temperature").why == "Xid 79"


def test_a_sweep_with_a_missed_gpu_is_not_complete():
    assert sweep(gpu()).complete
    assert not sweep(gpu(), gpu_in(GpuState.MISSED)).complete
