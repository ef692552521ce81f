"""Clock event reasons."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.clocks import signals


def test_the_power_brake_is_asserted_and_released():
    brakes = [
        only(signals(sweep(gpu(clocks_reasons=bits)))).fields["hw_power_brake"] for bits in (1, 0x88, 0)
    ]
    assert brakes == [False, True, False]


def test_every_bit_has_its_own_field():
    for name, bit in (
        ("idle", 0x1),
        ("sw_power_cap", 0x4),
        ("hw_slowdown", 0x8),
        ("sw_thermal", 0x20),
        ("hw_thermal", 0x40),
        ("hw_power_brake", 0x80),
    ):
        fields = only(signals(sweep(gpu(clocks_reasons=bit)))).fields
        assert [field for field, value in fields.items() if value] == [name]


def test_reasons_that_cannot_be_had_are_unknown_until_they_can():
    states = (gpu(), gpu(codes={"clocks_reasons": 13}), gpu())
    brakes = [only(signals(sweep(state))).fields["hw_power_brake"] for state in states]
    assert brakes == [False, None, False]


def test_a_lost_gpu_has_no_reasons():
    assert set(only(signals(sweep(gpu_in(GpuState.LOST)))).fields.values()) == {None}
