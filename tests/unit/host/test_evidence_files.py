"""Bundles on a real disk."""

import json
import os
from pathlib import Path

import pytest

from sickbay.host.evidence_files import EvidenceFolder, Piece, safe_name


def test_a_bundle_is_a_folder_with_one_file_a_piece(tmp_path: Path) -> None:
    folder = EvidenceFolder(root=tmp_path / "evidence")
    bundle = folder.write(
        "rem-1/0/collect", [Piece(name="a.json", content=b"{}"), Piece(name="b", content=b"xy")]
    )
    assert bundle.path == tmp_path / "evidence" / "rem-1-0-collect"
    assert bundle.size == 4
    assert (bundle.path / "b").read_bytes() == b"xy"
    assert bundle.cut == ()


def test_what_does_not_fit_keeps_its_end_and_is_named(tmp_path: Path) -> None:
    folder = EvidenceFolder(root=tmp_path, max_bytes=10)
    pieces = [
        Piece(name="first", content=b"12345678"),
        Piece(name="log", content=b"old new"),
        Piece(name="c", content=b"z"),
    ]
    bundle = folder.write("x", pieces)
    assert (bundle.path / "first").read_bytes() == b"12345678"
    assert (bundle.path / "log").read_bytes() == b"ew"
    assert bundle.cut == ("log", "c")
    assert json.loads((bundle.path / "cut.json").read_text())["cut"] == ["log", "c"]


def test_only_the_latest_bundles_are_kept(tmp_path: Path) -> None:
    folder = EvidenceFolder(root=tmp_path, keep=2)
    for age, name in enumerate(["old", "older", "new"]):
        path = folder.write(name, [Piece(name="a", content=b"")]).path
        os.utime(path, (age, age))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "older"]


def test_a_bundle_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    folder = EvidenceFolder(root=tmp_path)
    folder.write("x", [Piece(name="a", content=b"1")])
    bundle = folder.write("x", [Piece(name="b", content=b"2")])
    assert [path.name for path in bundle.path.iterdir()] == ["b"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc", "etc"),
        ("inc-1", "inc-1"),
        ("a b/c", "a-b-c"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("x" * 500, "x" * 120),
    ],
)
def test_no_name_leads_out_of_the_folder(given: str, name: str) -> None:
    assert safe_name(given) == name
