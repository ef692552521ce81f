"""One look at all that the kernel says beside NVML."""

from pathlib import Path

from sickbay.host.driver_versions import DriverFiles, DriverVersions
from sickbay.host.job_of_process import Processes, ProcessView
from sickbay.host.kernel_view import HostKernel, KernelView
from sickbay.host.pci_devices import PciBus, PciView


def test_a_look_has_all_three(tmp_path: Path):
    (tmp_path / "devices").mkdir()
    (tmp_path / "module").mkdir()
    kernel = HostKernel(
        bus=PciBus(tmp_path / "devices"),
        driver=DriverFiles(module=tmp_path / "module" / "nvidia", folders=[]),
        processes=Processes(tmp_path),
    )
    assert kernel.look([7]) == KernelView(
        pci=PciView(), driver=DriverVersions(loaded=False), processes={7: ProcessView(exists=False)}
    )


def test_what_cannot_be_asked_is_unknown(tmp_path: Path):
    none = tmp_path / "none"
    kernel = HostKernel(bus=PciBus(none), driver=DriverFiles(module=none / "nvidia", folders=[]))
    assert kernel.look([7]) == KernelView()


def test_on_this_machine_a_look_comes_back():
    assert isinstance(HostKernel.of_this_host().look([]), KernelView)
