"""What tools of ours generate is committed, and equals what they would generate now."""

import subprocess
import sys

import pytest
from tests.meta.tree import ROOT


@pytest.mark.parametrize("tool", ["protos", "generate_reasons", "generate_signals", "generate_schemas"])
def test_the_committed_output_is_current(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, f"tools/{tool}.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_generated_stubs_import() -> None:
    """protobuf refuses at import what a newer generator wrote for it."""
    code = "from sickbay.v1 import coordinator_pb2_grpc, fleet_pb2_grpc, node_pb2_grpc"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
