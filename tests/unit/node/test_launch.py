"""What the entry point of the agent leaves out, each time in a fresh interpreter."""

import hashlib
import subprocess
import sys


def said_by(program: str) -> str:
    """What a program of one text prints after memory was spared."""
    text = f"from sickbay.node.launch import spare_memory; spare_memory(); {program}"
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout


def test_the_agent_is_imported_without_openssl_and_without_what_only_a_coordinator_needs() -> None:
    spared = {"ssl", "_ssl", "sqlalchemy", "prometheus_client", "psutil", "rich"}
    spared |= {f"sickbay.core.{name}" for name in ("incidents", "remediation", "gates", "orders", "views")}
    program = "import sys, sickbay.node.main; print(*(name for name, one in sys.modules.items() if one))"
    assert not spared & set(said_by(program).split())


def test_digests_are_the_same_without_openssl() -> None:
    program = "import hashlib; print(hashlib.sha256(b'a rule').hexdigest(), hashlib.sha256.__module__)"
    digest, _, module = said_by(program).partition(" ")
    assert digest == hashlib.sha256(b"a rule").hexdigest()
    assert module.strip() != "_hashlib"


def test_nothing_is_written_to_the_log_by_what_was_left_out() -> None:
    text = "from sickbay.node.launch import spare_memory; spare_memory(); import hashlib, asyncio"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
