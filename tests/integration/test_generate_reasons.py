"""The generator refuses a catalogue that says what nobody has thought about, with the file and the line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes."""
    shutil.copytree(ROOT / "rules" / "catalogue", tmp_path / "rules" / "catalogue")
    tables = [str(path.relative_to(ROOT)) for path in (ROOT / "agent/sickbay/core").glob("*_table.py")]
    for name in ("tools/generate_reasons.py", "tools/catalogue_tables.py", "docs/reasons.md", *tables):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def generate(tree: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    tool = [sys.executable, str(tree / "tools" / "generate_reasons.py"), *options]
    return subprocess.run(tool, capture_output=True, text=True, check=False)


def change(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / "rules" / "catalogue" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_table_that_has_not_changed_has_not_drifted(tree: Path):
    assert generate(tree, "--check").returncode == 0


def test_a_changed_row_is_drift_until_it_is_generated(tree: Path):
    change(tree, "xid_classes.csv", "79,hardware,the GPU is gone", "79,hardware,the GPU has gone")
    drifted = generate(tree, "--check")
    assert drifted.returncode == 1
    assert "docs/reasons.md has drifted" in drifted.stdout
    assert generate(tree).returncode == 0
    assert generate(tree, "--check").returncode == 0
    assert "the GPU has gone" in (tree / "docs" / "reasons.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "xids.csv",
            "FALLEN_OFF_THE_BUS,RESTART_BM",
            "FALLEN_OFF_THE_BUS,PRAY",
            "xids.csv:80: 'PRAY' is none of",
        ),
        ("xids.csv", "CHECK_APP/CUDA", "CHECK_ATP", "xids.csv:12: 'CHECK_ATP' is none of"),
        ("xids.csv", ",R565,", ",565,", "'565' is no driver branch such as R565"),
        ("xid_classes.csv", "79,hardware", "79,software", "xid_classes.csv:80: 'software' is none of"),
        ("xid_classes.csv", "79,hardware", "790,hardware", "xid_classes.csv:80: 790 is not in xids.csv"),
        ("xids_nvlink5.csv", "RESET_GPU,,,,", "PRAY,,,,", "xids_nvlink5.csv:3: 'PRAY' is none of"),
        ("xids_nvlink5.csv", "------000000---", "-----000000---", "is no pattern of 32 of 0, 1 and -"),
        ("xids_nvlink5.csv", "0x00000001", "1", "'1' is neither `any` nor words such as"),
        ("xids_nvlink5.csv", "Non-fatal,HW", "Harmless,HW", "'Harmless' is none of Fatal"),
        ("sxids.csv", "always_fatal", "deadly", "sxids.csv:4: 'deadly' is none of always_fatal"),
        ("sxids.csv", "10002,", "10001,", "sxids.csv:1: codes that appear twice: [10001]"),
        ("xid_74_bits.csv", "1,4,", "1,32,", "register 1, bit 32: there are 7 registers"),
        ("xid_74_bits.csv", "REPORT_IF_REPEATED", "WAIT", "xid_74_bits.csv:4: 'WAIT' is none of"),
    ],
)
def test_a_word_that_nobody_knows_is_refused_where_it_stands(
    tree: Path,
    name: str,
    old: str,
    new: str,
    said: str,
):
    change(tree, name, old, new)
    refused = generate(tree)
    assert refused.returncode == 1
    assert said in refused.stderr
