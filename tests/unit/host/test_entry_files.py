"""Files of entries: a bare list, or a list in a file that says its format."""

from pathlib import Path

import pytest
from tests.support.rules import written

from sickbay.host.entry_files import EntryReading


def read(tmp_path: Path, text: str) -> tuple[list[object], list[str]]:
    reading = EntryReading()
    entries = reading.entries(written(tmp_path / "a.yaml", text))
    told = [str(problem).replace(f"{tmp_path}/", "") for problem in reading.problems]
    return [dict(entry.fields) for entry in entries], told


@pytest.mark.parametrize("text", ["- {id: a}\n", "format: 1\nentries:\n  - {id: a}\n"])
def test_a_list_is_of_the_first_format_whether_it_says_so_or_not(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ([{"id": "a"}], [])


@pytest.mark.parametrize("text", ["", "format: 1\n", "format: 1\nentries: []\n", "format: 1\nentries:\n"])
def test_a_file_may_be_empty(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ([], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format: 2\nentries: [{id: a}]\n", "a.yaml:1:9: found format: 2; expected format: 1, the newest"),
        ("format: true\nentries: []\n", "a.yaml:1:9: found format: True"),
        ("format: '1'\nentries: []\n", "a.yaml:1:10: found format: '1'"),
        (
            "entries: []\n",
            "a.yaml:1:1: found no list; expected a list of entries, each",
        ),
        ("format: 1\nrules: []\n", "a.yaml:2:1: found the unknown key 'rules'; expected one of entries"),
        ("format: 1\nentries: 3\n", "a.yaml:2:10: found no list"),
        ("format: 1\nentries: [3]\n", "a.yaml:2:11: found 3; expected a mapping with an id"),
        ("hello\n", "a.yaml:1:1: found no list"),
    ],
)
def test_what_is_no_such_file_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    entries, (told,) = read(tmp_path, text)
    assert entries == []
    assert told.startswith(said)


def test_places_inside_a_file_that_says_its_format_are_right(tmp_path: Path) -> None:
    reading = EntryReading()
    text = "format: 1\nentries:\n  - id: a\n    when: x\n"
    (entry,) = reading.entries(written(tmp_path / "a.yaml", text))
    place = entry.locate(("when",))
    assert (place.line, place.column) == (4, 11)


def test_what_an_editor_leaves_while_somebody_writes_is_passed_over(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", ".b.yaml.swp", ".c.yaml", "d.yaml~", "README.md"):
        written(tmp_path / name, "")
    (tmp_path / ".#b.yaml").symlink_to("nobody@nowhere.1")
    assert [path.name for path in EntryReading().files_of(tmp_path)] == ["a.yml", "b.yaml"]
