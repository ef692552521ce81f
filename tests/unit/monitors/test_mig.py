"""How a GPU is cut."""

from dataclasses import replace

from tests.fakes.sweeps import BASELINE, gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.readings import GpuState, GpuSweep
from sickbay.monitors.known import Known
from sickbay.monitors.mig import signals

CUT = gpu(mig_mode=1, mig_mode_pending=1, mig_max_devices=7, mig_devices=2, mig_profiles="3g.40gb,3g.40gb")
WHOLE = gpu(mig_mode=0, mig_mode_pending=0, mig_max_devices=7)


def told(seen: GpuSweep, before: str) -> dict[str, FieldValue]:
    known = Known(baseline=replace(BASELINE, gpus=(replace(BASELINE.gpus[0], mig=before),)))
    return dict(only(signals(sweep(seen), known)).fields)


def test_a_layout_is_held_against_the_one_when_the_host_was_well():
    assert told(CUT, "3g.40gb,3g.40gb")["changed"] is False
    assert told(CUT, "7g.80gb")["changed"] is True
    assert told(WHOLE, "7g.80gb")["changed"] is True
    assert told(WHOLE, "")["changed"] is False


def test_a_gpu_in_one_piece_has_no_devices():
    assert (told(WHOLE, "")["devices"], told(WHOLE, "")["layout"]) == (0, "")


def test_mig_mode_without_devices_is_told():
    fields = told(gpu(mig_mode=1, mig_mode_pending=1, mig_devices=0), "7g.80gb")
    assert (fields["enabled"], fields["devices"], fields["layout"]) == (True, 0, "")


def test_what_a_lost_gpu_was_cut_into_is_unknown():
    fields = told(gpu_in(GpuState.LOST), "7g.80gb")
    assert (fields["enabled"], fields["devices"], fields["changed"]) == (None, None, None)


def test_a_gpu_that_cannot_be_cut_is_not_spoken_of():
    assert signals(sweep(gpu(codes={"mig_mode": 3, "mig_mode_pending": 3})), Known()) == ()
