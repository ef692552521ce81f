"""The PCI bus, as sysfs shows it."""

from pathlib import Path

from sickbay.host.pci_devices import PciBus, PciGpu


def plug(root: Path, name: str, *, vendor: str = "0x10de", klass: str = "0x030200", driver: str = "") -> Path:
    device = root / name
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{klass}\n")
    (device / "device").write_text("0x2330\n")
    if driver:
        (device / "driver").symlink_to(root.parent / "drivers" / driver)
    return device


def test_gpus_are_told_from_everything_else_on_the_bus(tmp_path: Path):
    plug(tmp_path, "0000:1b:00.0", driver="nvidia")
    plug(tmp_path, "0000:02:00.0", klass="0x030000", driver="nvidia")
    plug(tmp_path, "0000:05:00.0", klass="0x068000", driver="nvidia-nvswitch")
    plug(tmp_path, "0000:1b:00.1", klass="0x040300", driver="snd_hda_intel")
    plug(tmp_path, "0000:03:00.0", vendor="0x1a03", klass="0x030000", driver="ast")
    view = PciBus(tmp_path).look()
    assert view is not None
    assert [gpu.pci for gpu in view.gpus] == ["0000:02:00", "0000:1b:00"]
    assert view.by_pci("0000:1b:00") == PciGpu(pci="0000:1b:00", device="2330", driver="nvidia")


def test_a_gpu_of_a_guest_is_not_the_hosts_own_and_a_part_of_a_gpu_is_none(tmp_path: Path):
    plug(tmp_path, "0000:1b:00.0", driver="vfio-pci")
    whole = plug(tmp_path, "0000:43:00.0", driver="nvidia")
    (plug(tmp_path, "0000:43:00.4", driver="nvidia") / "physfn").symlink_to(whole)
    view = PciBus(tmp_path).look()
    assert view is not None
    assert [gpu.pci for gpu in view.own] == ["0000:43:00"]
    assert len(view.gpus) == 2


def test_a_gpu_without_a_driver_shows_and_one_that_is_pulled_does_not(tmp_path: Path):
    bus = PciBus(tmp_path)
    device = plug(tmp_path, "0001:01:00.0")
    view = bus.look()
    assert view is not None
    assert view.gpus == (PciGpu(pci="0001:01:00", device="2330", driver=""),)
    for file in device.iterdir():
        file.unlink()
    device.rmdir()
    after = bus.look()
    assert after is not None
    assert (after.gpus, after.gone) == ((), ("0001:01:00",))


def test_a_bus_that_cannot_be_read_is_unknown_and_not_empty(tmp_path: Path):
    assert PciBus(tmp_path / "none").look() is None
