"""What a sweep is held against."""

from dataclasses import replace

from tests.fakes.sweeps import PCI, gpu

from sickbay.host.nvml.catalogue import MODES
from sickbay.monitors.known import Known


def test_what_was_last_read_of_a_group_is_found_by_address():
    known = Known(latest={(MODES, PCI): gpu(mig_mode=1)})
    last = known.last_of(gpu(), MODES)
    assert last is not None
    assert last.number("mig_mode") == 1


def test_what_was_read_of_another_gpu_in_the_slot_is_not_this_ones():
    known = Known(latest={(MODES, PCI): replace(gpu(mig_mode=1), uuid="GPU-old")})
    assert known.last_of(gpu(), MODES) is None


def test_of_a_group_that_was_never_read_nothing_is_known():
    assert Known().last_of(gpu(), MODES) is None
