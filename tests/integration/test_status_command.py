"""`sickbay status` against a real agent: what it loads, and that it never tells of an agent that is gone."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.views import Health

SICKBAY = Path(sys.executable).with_name("sickbay")
HEAVY = {"grpc", "google.protobuf", "asyncio", "rich", "yaml", "psutil", "cel_expr_python"}
MOVES = {"at", "readings", "monitors", "gpus"}
"""What differs between two looks a moment apart."""


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


def typed(agent: AgentProcess, *words: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    socket = agent.folder / "run" / "agent.sock"
    return subprocess.run(
        [sys.executable, *python, SICKBAY, "status", "--socket", str(socket), *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_a_quick_look_and_a_check_tell_the_same(agent: AgentProcess) -> None:
    agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        quick, whole = (typed(agent, "-o", "json", *words) for words in ((), ("--check",)))
        assert (quick.returncode, whole.returncode) == (0, 0)
        first, second = json.loads(quick.stdout), json.loads(whole.stdout)
        assert list(first) == list(second)
        assert {k: v for k, v in first.items() if k not in MOVES} == {
            k: v for k, v in second.items() if k not in MOVES
        }
        assert [gpu["state"] for gpu in first["gpus"]] == ["ok"] * 8


def test_a_healthy_host_is_shown_without_loading_what_is_slow_to_load(agent: AgentProcess) -> None:
    agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        done = typed(agent, python=("-X", "importtime"))
        loaded = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
        assert "sickbay.core.host_views" in loaded
        assert not loaded & HEAVY


def test_an_agent_that_was_killed_is_unknown(agent: AgentProcess) -> None:
    agent.with_gpus()
    agent.start()
    wait_until(lambda: agent.health().health is Health.HEALTHY)
    agent.kill()
    done = typed(agent)
    assert (done.returncode, done.stdout) == (3, "")
    assert "systemctl start sickbay-agent" in done.stderr


def test_watching_goes_on_when_the_agent_does_not_and_ends_with_what_was_seen_last(
    agent: AgentProcess,
) -> None:
    agent.with_gpus()
    agent.start()
    wait_until(lambda: agent.health().health is Health.HEALTHY)
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    socket = agent.folder / "run" / "agent.sock"
    watching = subprocess.Popen(
        [SICKBAY, "status", "--watch", "--socket", str(socket)], stdin=theirs, stdout=theirs, stderr=theirs
    )
    shown = bytearray()

    def shows(words: bytes) -> bool:
        with suppress(BlockingIOError):
            shown.extend(os.read(ours, 65536))
        return words in shown

    wait_until(lambda: shows(b"8 GPUs"))
    agent.kill()
    wait_until(lambda: shows(b"Asked again"))
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 3
    assert b"Traceback" not in shown
    os.close(ours)
    os.close(theirs)
