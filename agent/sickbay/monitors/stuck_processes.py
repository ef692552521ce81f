"""Processes that have been unable to run or to die for minutes, above all those that hang in the driver."""

from dataclasses import replace

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.process_states import StatesReading, StuckProcess, read_states
from sickbay.monitors.coarse import in_steps, power_of_two
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import said

STUCK_AFTER = 110.0
"""Seconds in state D, without having run, after which nobody only waits for a disk: three looks, a minute
apart. The kernel's own hung-task detector takes 120."""

_NAMED = 5


def read(root: HostRoot) -> StatesReading:
    """The processes now; OSError where /proc cannot be read."""
    return read_states(root.proc)


def carry(reading: StatesReading, before: StatesReading | None, known: HostKnown) -> StatesReading:
    """Remember since when each process has been as it is."""
    since = {each.identity: each.since for each in before.stuck} if before is not None else {}
    stuck = tuple(replace(each, since=since.get(each.identity, known.now.mono)) for each in reading.stuck)
    return replace(reading, stuck=stuck)


def signals(reading: StatesReading, known: HostKnown) -> tuple[Signal, ...]:
    """One `stuck_processes` for the node. Threads of the kernel are counted apart: some wait so by design."""
    stuck = [each for each in reading.stuck if _age(each, known) >= STUCK_AFTER]
    ours = sorted((each for each in stuck if not each.is_kernel), key=lambda each: -_age(each, known))
    fields: dict[str, FieldValue] = {
        "stuck": len(ours),
        "in_driver": _in_driver(ours),
        "kernel_threads": len(stuck) - len(ours),
        "longest": in_steps(_age(ours[0], known), 300.0) if ours else 0.0,
        "names": "; ".join(_named(each) for each in ours[:_NAMED]),
        "zombies": power_of_two(reading.zombies),
    }
    return (said("stuck_processes", NODE, known, fields, ("proc",)),)


def _age(process: StuckProcess, known: HostKnown) -> float:
    """Seconds for which it is known to have been so."""
    return known.now.mono - process.since if process.since is not None else 0.0


def _in_driver(stuck: list[StuckProcess]) -> int | None:
    """Unknown when none is known to be and of some it may not be seen."""
    found = sum(each.in_driver is True for each in stuck)
    return None if not found and any(each.in_driver is None for each in stuck) else found


def _named(process: StuckProcess) -> str:
    where = f" in {process.waiting_in}" if process.waiting_in else ""
    return f"{process.name}[{process.pid}]{where}"
