"""Whether the driver is there, and fits its library."""

import pytest
from tests.fakes.sweeps import gpu, only, sweep, unavailable

from sickbay.core.signals import FieldValue
from sickbay.host.driver_versions import DriverVersions
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.readings import Sweep
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.monitors.driver_versions import signals
from sickbay.monitors.known import Known

ANSWERS = sweep(gpu())
REFUSES = unavailable("nvmlInitWithFlags returned LIB_RM_VERSION_MISMATCH")
OTHERWISE = unavailable("nvmlInitWithFlags returned DRIVER_NOT_LOADED")


def told(seen: Sweep, files: DriverVersions | None, name: str) -> FieldValue:
    return only(signals(seen, Known(kernel=KernelView(driver=files)))).fields[name]


@pytest.mark.parametrize(
    ("seen", "module", "library", "mismatch"),
    [
        (ANSWERS, "570.1", "570.1", False),
        (ANSWERS, "570.1", "575.2", True),
        (REFUSES, "", "", True),
        (REFUSES, "570.1", "570.1", True),
        (ANSWERS, "", "", False),
        (OTHERWISE, "", "575.2", None),
    ],
)
def test_a_mismatch_is_told_by_the_files_or_by_nvmls_refusal(
    *, seen: Sweep, module: str, library: str, mismatch: bool | None
):
    assert told(seen, DriverVersions(loaded=True, module=module, library=library), "mismatch") is mismatch


def test_without_the_files_an_nvml_that_answers_fits():
    assert told(ANSWERS, None, "mismatch") is False
    assert told(OTHERWISE, None, "mismatch") is None
    assert told(ANSWERS, None, "loaded") is None


def test_gpus_on_the_bus_are_counted_without_those_of_guests():
    bus = PciView(gpus=(PciGpu(pci="0000:1b:00"), PciGpu(pci="0000:43:00", driver="vfio-pci")))
    assert only(signals(OTHERWISE, Known(kernel=KernelView(pci=bus)))).fields["gpus_on_bus"] == 1
