"""What a simulated node's kernel says beside its driver."""

from pathlib import Path

from sickbay.host.job_of_process import ProcessView
from sickbay.sim.kernel_view import SimulatedKernel
from sickbay.sim.reading_faults import DriverMismatch, MemoryHeld
from sickbay.sim.scenario import Missing
from sickbay.sim.simulated_node import create_node, inject_fault


def test_the_bus_holds_the_gpus_of_the_profile_and_the_driver_fits(tmp_path: Path) -> None:
    view = SimulatedKernel(create_node(tmp_path / "node")).look([])
    assert view.pci is not None
    assert [gpu.pci for gpu in view.pci.gpus][:2] == ["0000:1b:00", "0000:43:00"]
    assert {(gpu.device, gpu.driver) for gpu in view.pci.gpus} == {("2330", "nvidia")}
    assert view.driver is not None
    assert view.driver.module == view.driver.library == "570.124.06"


def test_a_gpu_that_is_not_listed_is_still_on_the_bus_unless_it_is_said_to_be_off(tmp_path: Path) -> None:
    node = create_node(tmp_path / "node")
    kernel = SimulatedKernel(node)
    inject_fault(node.path, Missing(gpu=0))
    inject_fault(node.path, Missing(gpu=1, off_bus=True))
    pci = kernel.look([]).pci
    assert pci is not None
    assert [pci.by_pci(slot) is not None for slot in ("0000:1b:00", "0000:43:00")] == [True, False]


def test_processes_are_those_of_the_nodes_own_tree_and_never_this_machines(tmp_path: Path) -> None:
    node = create_node(tmp_path / "node")
    assert SimulatedKernel(node).look([1]).processes == {1: ProcessView(exists=False)}
    process = node.path / "host" / "proc" / "4242"
    process.mkdir(parents=True)
    (process / "cgroup").write_text("0::/system.slice/slurmstepd.scope/job_4711/step_0\n")
    assert SimulatedKernel(node).look([1, 4242]).processes == {
        1: ProcessView(exists=False),
        4242: ProcessView(exists=True, job="slurm:4711"),
    }


def test_what_a_profile_lists_lives_and_what_a_fault_adds_is_dead(tmp_path: Path) -> None:
    node = create_node(tmp_path / "node", profile="h100x8-mig")
    inject_fault(node.path, MemoryHeld(gpu=0, pid=77))
    assert SimulatedKernel(node).look([21001, 77]).processes == {
        21001: ProcessView(exists=True),
        77: ProcessView(exists=False),
    }


def test_a_library_of_another_version_is_on_disk_for_as_long_as_the_fault_lasts(tmp_path: Path) -> None:
    node = create_node(tmp_path / "node")
    kernel = SimulatedKernel(node)
    inject_fault(node.path, DriverMismatch(library="575.1"))
    driver = kernel.look([]).driver
    assert driver is not None
    assert (driver.module, driver.library) == ("570.124.06", "575.1")
