"""Every event is named by the boot in which it happened."""

from pathlib import Path

import pytest

from sickbay.host.boot import BootIdUnknownError, read_boot_id


def test_the_boot_id_is_the_files_text_without_its_newline(tmp_path: Path):
    path = tmp_path / "boot_id"
    path.write_text("68e7b535-6ffd-404e-9b39-454d61adf880\n")
    assert read_boot_id(path) == "68e7b535-6ffd-404e-9b39-454d61adf880"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_boot_without_a_name_is_refused_with_the_file(tmp_path: Path, content: bytes | None):
    path = tmp_path / "boot_id"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BootIdUnknownError, match="boot_id"):
        read_boot_id(path)


def test_this_machine_has_one():
    assert len(read_boot_id()) == 36
