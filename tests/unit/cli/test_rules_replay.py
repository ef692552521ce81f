"""`sickbay rules replay`, as typed, over a trace."""

import json
from pathlib import Path

import pytest
from tests.support.rules import BOOT, START, gpu, happened, rules_from, written
from tests.unit.cli.conftest import Typed
from tests.unit.core.test_fleet_replay import BUS

from sickbay.core.history import About, Began, HistoryEntry, Looked, Told
from sickbay.core.ids import NodeName
from sickbay.core.replay import NodeReplay
from sickbay.host.trace_files import write_trace


def history(nodes: int) -> list[HistoryEntry]:
    """A GPU lost on each node, an hour apart, as the rules of that time saw it."""
    entries: list[HistoryEntry] = []
    for number in range(nodes):
        name = NodeName(f"gpu-{number}")
        live = NodeReplay(node=name, rules=rules_from(BUS), about=About(source="live"))
        at = START.later(3600.0 * number)
        line = happened("xid", 3600.0 * number, 1, gpu(), code=79)
        for entry in (Began(node=name, now=at, boot_id=BOOT), Looked(node=name, now=at, signals=(line,))):
            entries.append(entry)
            entries += [Told(node=name, now=c.now, condition=c.condition) for c in live.take(entry)]
    return entries


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "week.jsonl.gz"
    write_trace(path, About(source="a week"), history(3))
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    written(tmp_path / "candidate/rules.yaml", BUS)
    return written(
        tmp_path / "candidate/remedies.yaml",
        "- id: drain-and-reboot\n  ladder: [{do: reboot}, {do: quarantine}]\n",
    ).parent


async def test_the_same_rules_give_the_same_again(alone: Typed, trace: Path, rules: Path):
    value = json.loads(
        (await alone("rules", "replay", str(trace), "--builtin", str(rules), "-o", "json")).stdout
    )
    assert value["candidate"]["actions"] == value["recorded"]["actions"] == {"cordon": 3, "reboot": 3}
    assert (value["nodes"], value["signals"], value["differences"]) == (3, 3, [])


async def test_a_stricter_candidate_is_shown_beside_what_was(
    alone: Typed, trace: Path, rules: Path, tmp_path: Path
):
    milder = written(tmp_path / "site.yaml", "- {id: bus, mode: observe}\n")
    done = await alone("rules", "replay", str(trace), "--builtin", str(rules), "--rules", str(milder))
    assert done.exit_code == 0, done.output
    rows = {line.split("  ")[0]: line.split() for line in done.stdout.splitlines() if line}
    assert rows["cordon"] == ["cordon", "3", "0", "0"]
    assert rows["conditions"] == ["conditions", "3", "3", "-"]
    assert rows["nodes touched"] == ["nodes", "touched", "3", "0", "-"]


async def test_what_would_be_done_is_listed_with_its_reason(alone: Typed, trace: Path, rules: Path):
    done = await alone("rules", "replay", str(trace), "--builtin", str(rules))
    assert "gpu-2  reboot" in done.stdout
    assert "3 signals of 3 nodes over 2h00m" in done.stdout


async def test_a_file_that_holds_no_history_is_said(alone: Typed, tmp_path: Path):
    other = written(tmp_path / "notes.txt", "hello\n")
    done = await alone("rules", "replay", str(other))
    assert done.exit_code == 1
    assert "expected the first line of a trace" in done.stderr


async def test_a_candidate_with_mistakes_replays_nothing(alone: Typed, trace: Path, tmp_path: Path):
    bad = written(tmp_path / "bad.yaml", "- id: mine\n")
    done = await alone("rules", "replay", str(trace), "--rules", str(bad))
    assert done.exit_code == 1
    assert f"{bad}:1:7" in done.stderr
