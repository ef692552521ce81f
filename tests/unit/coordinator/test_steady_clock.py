"""A wall clock that nobody can set."""

from tests.fakes.clock import FakeClock

from sickbay.coordinator.steady_clock import SteadyClock


def test_setting_the_machines_clock_moves_nothing():
    machine = FakeClock(wall=1_000.0)
    steady = SteadyClock(machine)
    machine.set_wall(1_000_000.0)
    machine.advance(5.0)
    assert steady.now().wall == 1_005.0


async def test_it_sleeps_as_the_machine_does():
    await SteadyClock(FakeClock()).sleep(0.0)
