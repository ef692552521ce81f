import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rules import written

from sickbay.core.problems import RefusedError
from sickbay.host.yaml_files import DEEPEST, MOST_BYTES, parse_yaml, read_yaml


def refused(text: str) -> str:
    with pytest.raises(RefusedError) as caught:
        parse_yaml(text, file="a.yaml")
    return str(caught.value)


def test_words_stay_words_and_values_get_their_types() -> None:
    document = parse_yaml(
        "on: clocks\nyes: no\na: true\nb: 12\nc: 1.5\nd: ~\ne:\nf: 0x10\n"
        "g: '12'\nh: 12:30\ni: 2024-01-01\nj: 1e3\n",
        file="a.yaml",
    )
    assert document.value == {
        "on": "clocks",
        "yes": "no",
        "a": True,
        "b": 12,
        "c": 1.5,
        "d": None,
        "e": None,
        "f": 16,
        "g": "12",
        "h": "12:30",
        "i": "2024-01-01",
        "j": 1000.0,
    }


def test_an_empty_file_holds_nothing() -> None:
    assert parse_yaml("# nothing here\n", file="a.yaml").value is None


def test_every_value_and_key_is_located() -> None:
    document = parse_yaml("- id: a\n  inner: {x: 1, y: [2, 3]}\n", file="a.yaml")
    assert str(document.locate((0, "id"))) == "a.yaml:1:7"
    assert str(document.locate((0, "inner"), key=True)) == "a.yaml:2:3"
    assert str(document.locate((0, "inner", "y", 1))) == "a.yaml:2:24"


def test_what_is_not_there_is_located_at_what_should_hold_it() -> None:
    document = parse_yaml("- id: a\n  inner: {x: 1}\n", file="a.yaml")
    assert str(document.locate((0, "inner", "missing", "deeper"))) == "a.yaml:2:10"
    assert str(document.locate((0, "missing"), key=True)) == "a.yaml:1:3"
    assert str(parse_yaml("", file="a.yaml").locate(("x",))) == "a.yaml"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: one two X", (1, 12)),
        ("a: 'one two X'", (1, 13)),
        ('a: "one two X"', (1, 13)),
        ("a: 'it''s X'", (1, 11)),
        ("a: |\n  one\n  two X\n", (3, 7)),
        ("a: >-\n  one\n  two X\n", (3, 7)),
        ("a: >-\n\n    one two\n    X\n", (4, 5)),
        ("a: one\n  two\n  X", (3, 3)),
        ('a: "one\n  two X"', (2, 7)),
    ],
)
def test_a_position_inside_a_text_is_found_in_every_style(text: str, place: tuple[int, int]) -> None:
    document = parse_yaml(text, file="a.yaml")
    assert isinstance(document.value, dict)
    found = document.locate(("a",), document.value["a"].index("X"))
    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: found the key 'a' again, after line 1; expected each key once"),
        ("a: &x 1\nb: *x\n", "found an alias of an anchor"),
        ("a: [1, 2\n", "a.yaml:2:1: found did not find expected"),
        ("a: 1\n---\nb: 2\n", "YAML, one document"),
        ("? [1, 2]\n: 3\n", "found a key that is not a text"),
        ("a: !!python/object:os.system x\n", "found the tag"),
        ("a: !!binary aGk=\n", "found the tag"),
        ("ä: 1\nb: \x01\n", "a.yaml:2:4: found the character 0x0001"),
        ("- a: 1\n\tb: 1\n", "a.yaml:2:1: found a tab character"),
        (f"a: {'9' * 5000}\n", "found !!int '9999999999999999999999999999999999999999'; expected"),
        ("a: !!int x\n", "found !!int 'x'; expected"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: str, words: str) -> None:
    assert words in refused(text)


def test_all_repeated_keys_are_told() -> None:
    assert len(refused("a: 1\na: 2\nb: {c: 1, c: 2}\n").splitlines()) == 2


def test_deep_nesting_is_refused_and_not_followed() -> None:
    assert "deeper" in refused("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))
    refused("[" * 200_000)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"absent\.yaml: found No such file or directory"):
        read_yaml(tmp_path / "absent.yaml")


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(RefusedError, match=r"a\.yaml:2:1: found the byte 0xff; expected UTF-8"):
        read_yaml(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "#" * (MOST_BYTES + 1))
    with pytest.raises(RefusedError, match="found a larger file"):
        read_yaml(path)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"|>&*!# \n\t?,%@`~10"), max_size=60))
def test_no_text_crashes_the_reader(text: str) -> None:
    with contextlib.suppress(RefusedError):
        parse_yaml(text, file="a.yaml")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to itself"])
def test_what_is_no_plain_file_is_refused_unread(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    with pytest.raises(RefusedError, match="a file that can be read"):
        read_yaml(path)
