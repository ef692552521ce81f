"""What NVLinks fail at: which link, how often, and silence about those that are well."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.sweeps import PCI, UUID, gpu, gpu_in, sweep

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.catalogue import NOT_SUPPORTED
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.known import Known
from sickbay.monitors.nvlink_errors import ber, signals

ZERO = 0xFFF
OLD = ("nvlink_replays", "nvlink_recoveries", "nvlink_crc")
NEW = (
    *("nvlink5_malformed", "nvlink5_overruns", "nvlink5_receive_errors", "nvlink5_remote_errors"),
    *("nvlink5_general_errors", "nvlink5_integrity_errors", "nvlink5_discards", "nvlink5_recoveries"),
    "nvlink5_failed_recoveries",
)
RATES = ("nvlink5_effective_ber", "nvlink5_symbol_ber")
LINK_1 = Subject(scope=Scope.LINK, gpu_uuid=UUID, pci=PCI, link=1)


def hopper(**values: Value) -> GpuSweep:
    """Three links of NVLink 4, which know nothing of the counters of NVLink 5."""
    lacking = dict.fromkeys((*NEW, *RATES), (None,) * 3)
    return gpu(**{**lacking, **dict.fromkeys(OLD, (0, 0, 0)), **values})


def blackwell(**values: Value) -> GpuSweep:
    lacking = dict.fromkeys(OLD, (None,) * 3)
    return gpu(**{**lacking, **dict.fromkeys(NEW, (0, 0, 0)), **dict.fromkeys(RATES, (ZERO,) * 3), **values})


def seen(now: GpuSweep, before: GpuSweep | None, *concerned: Subject) -> tuple[Signal, dict[int, Signal]]:
    """The signal of the GPU, and those of its links by number."""
    known = Known(previous=None if before is None else sweep(before), concerned=frozenset(concerned))
    of_gpu, *of_links = signals(sweep(now, after=30.0), known)
    assert all(is_declared(signal) for signal in (of_gpu, *of_links))
    assert of_gpu.kind == "nvlink_errors"
    return of_gpu, {signal.subject.link or 0: signal for signal in of_links}


def test_links_without_errors_are_one_signal():
    of_gpu, of_links = seen(hopper(), hopper())
    assert of_links == {}
    expected = {"links": 3, "links_with_errors": 0, "worst_link": -1, "new_errors": 0, "new_recoveries": 0}
    assert {name: of_gpu.fields[name] for name in expected} == expected
    assert of_gpu.fields["new_failed_recoveries"] is None


def test_a_link_that_errs_is_named_and_speaks_for_itself():
    of_gpu, of_links = seen(hopper(nvlink_replays=(0, 0, 5), nvlink_crc=(0, 6000, 0)), hopper())
    assert (of_gpu.fields["worst_link"], of_gpu.fields["links_with_errors"]) == (1, 2)
    assert of_links.keys() == {1, 2}
    assert of_links[1].subject == LINK_1
    assert (of_links[1].fields["crc_per_second"], of_links[1].fields["new_retries"]) == (200.0, 0)
    assert (of_links[2].fields["new_replays"], of_links[2].fields["new_retries"]) == (5, 5)


def test_a_link_with_an_open_condition_says_that_it_is_well_again():
    _, of_links = seen(hopper(nvlink_replays=(0, 5, 0)), hopper(nvlink_replays=(0, 5, 0)), LINK_1)
    assert of_links[1].fields["new_retries"] == 0


def test_a_condition_of_another_gpus_link_is_none_of_ours():
    assert seen(hopper(), hopper(), replace(LINK_1, pci="0000:43:00"))[1] == {}


def test_links_of_the_fifth_generation_have_counters_of_their_own():
    now = blackwell(
        nvlink5_malformed=(0, 1, 0), nvlink5_discards=(0, 2, 0), nvlink5_failed_recoveries=(1, 0, 0)
    )
    of_gpu, of_links = seen(now, blackwell())
    assert of_links[1].fields["new_data_errors"] == 3
    assert of_links[0].fields["new_failed_recoveries"] == 1
    assert (of_gpu.fields["new_failed_recoveries"], of_gpu.fields["worst_link"]) == (1, 1)
    assert "new_replays" not in of_links[0].fields


@pytest.mark.parametrize(
    ("encoded", "rate"),
    [(ZERO, 0.0), (0x10C, 1e-12), (0x50F, 5e-15), (0xF0A, 15e-10), (0xFFE, 15e-254), (0x000, 0.0)],
)
def test_a_bit_error_rate_is_mantissa_and_exponent(encoded: int, rate: float):
    assert ber(encoded) == rate


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_every_encoding_has_a_rate(encoded: int):
    assert 0.0 <= ber(encoded) <= 15.0


def test_a_link_that_cannot_hold_its_bit_error_rate_speaks():
    now = blackwell(nvlink5_effective_ber=(ZERO, 0x509, 0x10F))
    of_gpu, of_links = seen(now, blackwell())
    assert of_links.keys() == {1}
    assert of_links[1].fields["effective_ber"] == of_gpu.fields["worst_effective_ber"] == 5e-9


def test_what_is_new_is_unknown_at_first_after_a_reset_and_for_another_gpu():
    worn = hopper(nvlink_replays=(9, 9, 9))
    for now, before in ((worn, None), (hopper(), worn), (worn, replace(hopper(), uuid="GPU-before"))):
        of_gpu, of_links = seen(now, before)
        assert (of_gpu.fields["new_errors"], of_gpu.fields["worst_link"]) == (None, None)
        assert of_links == {}


def test_with_a_link_unknown_nothing_is_said_to_be_well_and_errors_are_told():
    blind = (0, None, 0)
    quiet = dict.fromkeys(OLD, blind)
    of_gpu, of_links = seen(hopper(**quiet), hopper())
    assert (of_gpu.fields["new_errors"], of_gpu.fields["links"], of_links) == (None, 2, {})
    of_gpu, of_links = seen(hopper(**{**quiet, "nvlink_replays": (4, None, 0)}), hopper())
    assert (of_gpu.fields["new_errors"], of_gpu.fields["worst_link"]) == (4, 0)
    assert of_links.keys() == {0}


def test_counters_that_cannot_be_had_are_unknown_until_they_can():
    refused = gpu(codes=dict.fromkeys((*OLD, *NEW, *RATES), 999))
    errors = [seen(now, hopper())[0].fields["new_errors"] for now in (hopper(), refused, hopper())]
    assert errors == [0, None, 0]
    _, of_links = seen(refused, hopper(), LINK_1)
    assert set(of_links[1].fields.values()) == {None}


def test_a_gpu_without_links_says_nothing():
    assert signals(sweep(gpu(codes=dict.fromkeys((*OLD, *NEW, *RATES), NOT_SUPPORTED))), Known()) == ()
    assert signals(sweep(gpu(**dict.fromkeys((*OLD, *NEW, *RATES), ()))), Known()) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    of_gpu, of_links = seen(gpu_in(GpuState.UNSEEN), hopper())
    assert set(of_gpu.fields.values()) == {None}
    assert of_links == {}
