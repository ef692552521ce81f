"""Memory, and who holds it."""

from collections.abc import Mapping

from tests.fakes.sweeps import PCI, gpu, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.job_of_process import ProcessView
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.catalogue import MODES
from sickbay.host.nvml.readings import Value
from sickbay.monitors.gpu_memory import signals
from sickbay.monitors.known import Known

GIB = 1 << 30
BARE: dict[str, Value] = {"virtualization_mode": 0, "mig_mode": 0}
ALIVE, DEAD = ProcessView(exists=True), ProcessView(exists=False)


def told(
    processes: Mapping[int, ProcessView] | None = None,
    modes: dict[str, Value] | None = None,
    **values: Value,
) -> dict[str, FieldValue]:
    memory: dict[str, Value] = {"memory_total": 80 * GIB, "memory_used": 30 * GIB, "memory_reserved": GIB}
    seen = gpu(**{**memory, **values})
    latest = {(MODES, PCI): gpu(**(BARE if modes is None else modes))}
    known = Known(kernel=KernelView(processes=processes), latest=latest)
    return dict(only(signals(sweep(seen), known)).fields)


def test_a_process_that_the_kernel_no_longer_has_is_named():
    fields = told({7: ALIVE, 8: DEAD}, compute_pids=(7, 8))
    assert (fields["dead"], fields["dead_pid"]) == (1, 8)


def test_clients_of_mps_are_processes_too():
    assert told({7: DEAD}, compute_pids=(), mps_pids=(7,))["dead"] == 1


def test_where_processes_cannot_be_looked_up_nobody_is_said_to_be_dead():
    assert told(None, compute_pids=(7,))["dead"] is None
    assert told({}, compute_pids=(0,))["dead"] is None
    assert told({7: DEAD})["dead"] is None


def test_memory_without_a_process_is_held_by_nobody():
    assert told({}, compute_pids=())["held"] == 30 * GIB
    assert told({7: ALIVE}, compute_pids=(7,))["held"] == 0


def test_memory_that_instances_guests_or_the_driver_may_hold_is_unknown():
    assert told({}, {"virtualization_mode": 0, "mig_mode": 1}, compute_pids=())["held"] is None
    assert told({}, {"virtualization_mode": 3, "mig_mode": 0}, compute_pids=())["held"] is None
    assert told({}, {}, compute_pids=())["held"] is None
    assert told({})["held"] is None


def test_bar1_is_a_share():
    fields = told(bar1_total=100, bar1_used=95)
    assert fields["bar1_share"] == 0.95
    assert told(bar1_total=0, bar1_used=0)["bar1_share"] is None
