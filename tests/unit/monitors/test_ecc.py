"""Memory errors and their rate."""

import pytest
from tests.fakes.sweeps import PCI, gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState, GpuSweep
from sickbay.monitors.ecc import signals


def rate(before: GpuSweep, now: GpuSweep, *, seconds: float = 10.0) -> object:
    return only(signals(sweep(now, after=seconds), sweep(before))).fields["corrected_rate"]


def test_uncorrected_errors_come_and_are_gone_after_a_reset():
    counts = [
        only(signals(sweep(gpu(ecc_uncorrected_volatile=n)), None)).fields["uncorrected"] for n in (0, 2, 0)
    ]
    assert counts == [0, 2, 0]


def test_counts_that_cannot_be_had_are_unknown_and_not_zero():
    refused = gpu(codes={"ecc_uncorrected_volatile": 999})
    signal = only(signals(sweep(refused), None))
    assert signal.fields["uncorrected"] is None
    assert signal.fields["corrected"] == 0


def test_seventeen_thousand_errors_a_second_are_a_rate():
    assert rate(gpu(), gpu(ecc_corrected_volatile=170_000)) == pytest.approx(17_000)


def test_the_rate_is_zero_when_nothing_happened_and_unknown_when_nothing_is_known():
    assert rate(gpu(), gpu()) == 0
    assert only(signals(sweep(gpu()), None)).fields["corrected_rate"] is None
    assert rate(gpu_in(GpuState.UNSEEN), gpu()) is None


def test_a_new_uncorrected_error_is_a_rate_too():
    fields = only(signals(sweep(gpu(ecc_uncorrected_volatile=3), after=10.0), sweep(gpu()))).fields
    assert fields["uncorrected_rate"] == pytest.approx(0.3)


def test_a_counter_that_went_back_gives_no_rate():
    assert rate(gpu(ecc_corrected_volatile=9), gpu(ecc_corrected_volatile=1)) is None


def test_two_sweeps_at_one_instant_give_no_rate():
    assert rate(gpu(), gpu(ecc_corrected_volatile=1), seconds=0.0) is None


def test_another_gpu_in_the_slot_gives_no_rate():
    other = GpuSweep(
        pci=PCI, slot=0, state=GpuState.READ, values={"ecc_corrected_volatile": 1}, uuid="GPU-new"
    )
    assert rate(gpu(), other) is None


LOCATED = {
    f"{memory}_{sort}{span}": 100 * position
    for position, (memory, sort, span) in enumerate(
        (memory, sort, span)
        for memory in ("dram", "sram")
        for sort in ("corrected", "uncorrected")
        for span in ("", "_aggregate")
    )
}


def test_each_location_has_its_own_counts():
    fields = only(signals(sweep(gpu(**LOCATED)), None)).fields
    assert {name: fields[name] for name in LOCATED} == LOCATED


def test_the_rates_of_dram_and_sram_are_their_own():
    before = gpu(dram_corrected=10, sram_corrected=5)
    after = gpu(dram_corrected=1010, sram_corrected=5, ecc_corrected_volatile=1000)
    fields = only(signals(sweep(after, after=10.0), sweep(before))).fields
    assert [fields[name] for name in ("corrected_rate", "dram_corrected_rate", "sram_corrected_rate")] == [
        100.0,
        100.0,
        0.0,
    ]


def test_locations_that_a_board_does_not_count_are_not_zero_and_in_nobodys_way():
    fields = only(signals(sweep(gpu(codes=dict.fromkeys(LOCATED, 3))), sweep(gpu(**LOCATED)))).fields
    assert {fields[name] for name in LOCATED} == {None}
    assert (fields["corrected"], fields["dram_corrected_rate"]) == (0, None)


def test_a_board_without_ecc_says_nothing():
    names = ("corrected_volatile", "uncorrected_volatile", "corrected_aggregate", "uncorrected_aggregate")
    assert signals(sweep(gpu(codes={f"ecc_{name}": 3 for name in names})), None) == ()
