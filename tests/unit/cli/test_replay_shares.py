"""A replay in several processes: the same result, and nothing left behind when a person has seen enough."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.unit.cli.test_rules_replay import BUS, history, written

from sickbay.cli.replay_shares import jobs_for
from sickbay.core.history import About
from sickbay.host.trace_files import write_trace

DEADLINE = 60.0


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sickbay.cli.main", "rules", "replay", *words, "-o", "json"]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    written(tmp_path / "candidate/rules.yaml", BUS)
    ladder = "- id: drain-and-reboot\n  ladder: [{do: reboot}, {do: quarantine}]\n"
    return written(tmp_path / "candidate/remedies.yaml", ladder).parent


def test_the_result_does_not_depend_on_the_number_of_processes(tmp_path: Path, rules: Path):
    trace = tmp_path / "week.jsonl.gz"
    write_trace(trace, About(source="a week"), history(20))
    told = []
    for jobs in ("1", "3"):
        done = subprocess.run(
            command(str(trace), "--builtin", str(rules), "--jobs", jobs),
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE,
        )
        told.append({**json.loads(done.stdout), "seconds": 0})
    assert told[0] == told[1]
    assert told[0]["candidate"]["actions"] == {"cordon": 20, "reboot": 20}


def test_ctrl_c_ends_every_process_without_a_trace_back(tmp_path: Path, rules: Path):
    """The history takes many times as long as processes take to begin."""
    trace = tmp_path / "week.jsonl"
    write_trace(trace, About(source="a week"), history(60) * 400)
    run = subprocess.Popen(
        command(str(trace), "--builtin", str(rules), "--jobs", "3"),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    parent = psutil.Process(run.pid)
    until = time.monotonic() + DEADLINE
    while len(parent.children(recursive=True)) < 3 and time.monotonic() < until:
        os.sched_yield()
    children = parent.children(recursive=True)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=DEADLINE)
    assert run.returncode != 0
    assert "Traceback" not in said, said
    _, alive = psutil.wait_procs(children, timeout=DEADLINE)
    assert alive == []


def test_a_short_history_is_not_worth_a_second_process(tmp_path: Path):
    short = tmp_path / "short.jsonl"
    short.write_text("x" * 1_000)
    assert jobs_for([short], 0) == 1
    assert jobs_for([short], 4) == 4
