"""Short files of the kernel, each of which may be missing or of another form."""

from pathlib import Path

import pytest

from sickbay.host.kernel_files import content_if_any, cpu_list, names_in, number, whole_number


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0", {0}), ("0-3,8", {0, 1, 2, 3, 8}), ("", set()), (None, None), ("0-", None), ("all", None)],
)
def test_a_list_of_processors_is_read_or_unknown(text: str | None, cpus: set[int] | None) -> None:
    assert cpu_list(text) == cpus


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("-1", -1), ("", None), ("0x7", None), ("²", None)])
def test_a_number_is_decimal_or_unknown(text: str, value: int | None) -> None:
    assert whole_number(text) == value


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    assert content_if_any(tmp_path / "x") is None
    assert content_if_any(tmp_path) is None
    assert number(tmp_path / "x") is None
    assert names_in(tmp_path / "x") == ()


def test_text_that_is_no_utf8_keeps_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"DIMM\xff\n")
    assert content_if_any(tmp_path / "x") == "DIMM\\xff"
