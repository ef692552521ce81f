"""The command as a shell starts it: exit codes, streams, and what it loads."""

import subprocess
import sys
from pathlib import Path

import pytest

from sickbay.cli.main import COMMANDS

SICKBAY = Path(sys.executable).with_name("sickbay")
NOWHERE = {"SICKBAY_AGENT_SOCKET": "/nonexistent/agent.sock", "SICKBAY_COORDINATOR": "127.0.0.1:1"}


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SICKBAY, *words],
        capture_output=True,
        text=True,
        check=False,
        env=NOWHERE,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_the_help_lists_every_command() -> None:
    done = typed("--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in done.stdout] == []


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_teaches_with_an_example(name: str) -> None:
    done = typed(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"sickbay {name}" in done.stdout.split("Usage:", 1)[1].split("\n", 1)[1]


@pytest.mark.parametrize(
    ("words", "tried"),
    [
        (("status",), "/nonexistent/agent.sock"),
        (("status", "-o", "json"), "/nonexistent/agent.sock"),
        (("events",), "/nonexistent/agent.sock"),
        (("explain", "GpuLost"), "/nonexistent/agent.sock"),
        (("inject", "--xid", "79", "--gpu", "0"), "/nonexistent/agent.sock"),
        (("nodes",), "127.0.0.1:1"),
        (("node", "n1"), "127.0.0.1:1"),
        (("incidents",), "127.0.0.1:1"),
        (("explain", "inc-1"), "127.0.0.1:1"),
        (("cordon", "n1", "--reason", "x"), "127.0.0.1:1"),
        (("return", "n1"), "127.0.0.1:1"),
    ],
)
def test_with_nothing_running_one_line_says_what_was_tried(words: tuple[str, ...], tried: str) -> None:
    done = typed(*words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert tried in done.stderr
    assert "start one with" in done.stderr


def test_status_does_not_load_what_it_does_not_need() -> None:
    """Each of these costs the command's start several milliseconds."""
    script = "import sys, sickbay.cli.status, sickbay.rpc.node_client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    unwanted = {
        "rich",
        "yaml",
        "sqlalchemy",
        "sickbay.core.incidents",
        "sickbay.core.remediation",
        "sickbay.rpc.fleet_client",
        "sickbay.v1.fleet_pb2",
        "sickbay.v1.coordinator_pb2",
    }
    assert not set(done.stdout.split()) & unwanted


def test_help_loads_no_command() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from sickbay.cli.main import main;"
        "CliRunner().invoke(main, ['--help']); print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not set(done.stdout.split()) & {"grpc", "sickbay.cli.status", "sickbay.cli.demo"}
