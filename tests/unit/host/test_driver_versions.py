"""Two files that say which driver there is."""

from pathlib import Path

import pytest

from sickbay.host.driver_versions import DriverFiles, DriverVersions

CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.06  Wed Jun 26 06:46:07 UTC 2024\nGCC 12\n"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (dvs-builder@U16)\n"
)


def files(tmp_path: Path) -> DriverFiles:
    (tmp_path / "module").mkdir(exist_ok=True)
    return DriverFiles(
        module=tmp_path / "module" / "nvidia",
        proc=tmp_path / "version",
        folders=[tmp_path / "empty", tmp_path / "lib"],
    )


def library(tmp_path: Path, version: str) -> None:
    folder = tmp_path / "lib"
    folder.mkdir(exist_ok=True)
    (folder / f"libnvidia-ml.so.{version}").write_bytes(b"")
    (folder / "libnvidia-ml.so.1").symlink_to(f"libnvidia-ml.so.{version}")


def test_module_and_library_are_told_by_sysfs_and_by_the_librarys_name(tmp_path: Path):
    looked = files(tmp_path)
    (tmp_path / "module" / "nvidia").mkdir()
    (tmp_path / "module" / "nvidia" / "version").write_text("570.124.06\n")
    library(tmp_path, "575.57.08")
    assert looked.look() == DriverVersions(loaded=True, module="570.124.06", library="575.57.08")


@pytest.mark.parametrize(("text", "version"), [(CLOSED, "535.183.06"), (OPEN, "570.124.06"), ("?", "")])
def test_without_a_version_in_sysfs_the_drivers_own_file_tells_it(tmp_path: Path, text: str, version: str):
    looked = files(tmp_path)
    (tmp_path / "module" / "nvidia").mkdir()
    (tmp_path / "version").write_text(text)
    assert looked.look() == DriverVersions(loaded=True, module=version)


def test_a_module_that_is_not_loaded_is_known_not_to_be(tmp_path: Path):
    assert files(tmp_path).look() == DriverVersions(loaded=False)


def test_a_kernel_whose_modules_cannot_be_read_is_unknown(tmp_path: Path):
    assert DriverFiles(module=tmp_path / "none" / "nvidia").look() is None


def test_a_library_without_a_version_in_its_name_has_none(tmp_path: Path):
    looked = files(tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libnvidia-ml.so.1").write_bytes(b"")
    assert looked.look() == DriverVersions(loaded=False)
