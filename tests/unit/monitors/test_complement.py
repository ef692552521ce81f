"""As many GPUs as the platform comes with."""

from dataclasses import replace

from tests.fakes.sweeps import PCI, gpu, only, sweep, unavailable

from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.catalogue import MODES
from sickbay.host.nvml.readings import Value
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.monitors.complement import signals
from sickbay.monitors.known import Known

PLATFORMS = Platforms(by_device={"2330": PlatformProfile(id="h100-sxm5", gpus=2)})


def known(**modes: Value) -> Known:
    return Known(platforms=PLATFORMS, latest={(MODES, PCI): gpu(**{"virtualization_mode": 0, **modes})})


def test_a_gpu_that_was_never_there_is_missed():
    fields = only(signals(sweep(gpu()), known())).fields
    assert fields == {"expected": 2, "present": 1, "short": 1, "platform": "h100-sxm5"}


def test_one_more_than_the_platform_has_is_no_shortage():
    assert only(signals(replace(sweep(gpu()), count=3), known())).fields["short"] == 0


def test_a_gpu_that_a_guest_has_is_counted():
    bus = PciView(gpus=(PciGpu(pci=PCI, driver="nvidia"), PciGpu(pci="0000:43:00", driver="vfio-pci")))
    seen = only(signals(sweep(gpu()), replace(known(), kernel=KernelView(pci=bus))))
    assert seen.fields["short"] == 0


def test_nothing_is_expected_of_a_platform_that_nobody_knows():
    assert signals(sweep(gpu(pci_device_id="0xDEAD10DE")), known()) == ()


def test_nothing_is_expected_in_a_guest_or_where_it_is_not_known_to_be_none():
    assert signals(sweep(gpu()), known(virtualization_mode=1)) == ()
    assert signals(sweep(gpu()), Known(platforms=PLATFORMS)) == ()


def test_nothing_is_missed_while_nothing_can_be_asked():
    assert signals(unavailable("not loaded"), known()) == ()
