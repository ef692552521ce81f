"""`sickbay-agent --once --profile` keeps a host, and the simulator starts from what it kept."""

import subprocess
import sys
from pathlib import Path

import yaml

from sickbay.host.nvml.profile import load_profile
from sickbay.sim.simulated_node import create_node


def look(folder: Path, node: Path, file: Path) -> "subprocess.CompletedProcess[str]":
    config = folder / "agent.yaml"
    settings = {
        "state_dir": str(folder / "state"),
        "rules": [],
        "simulation": {"node_dir": str(node)},
        "host": {"enabled": False},
    }
    config.write_text(yaml.safe_dump(settings))
    words = ["--config", str(config), "--once", "-o", "json", "--profile", str(file)]
    return subprocess.run(
        [sys.executable, "-m", "sickbay.node.launch", *words], capture_output=True, text=True, check=False
    )


def test_a_recorded_host_recorded_again_is_the_same_host(tmp_path: Path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    node = create_node(tmp_path / "one", profile="h100x8-mig").path
    assert look(tmp_path, node, first).returncode in {0, 3}
    again = create_node(tmp_path / "two", profile=first).path
    look(tmp_path, again, second)
    one, two = load_profile(first), load_profile(second)
    assert len(one.gpus) == 8
    assert one.gpus == two.gpus
    assert one.about == "8 x NVIDIA H100 80GB HBM3, recorded by sickbay-agent"
    assert not one.recorded, "no real driver answered so"


def test_a_host_without_a_gpu_that_answers_is_not_recorded(tmp_path: Path):
    node = create_node(tmp_path / "one", profile="rtx4090x2")
    node.add_faults(
        [
            {
                "fault": "returns",
                "call": "nvmlInitWithFlags",
                "code": 9,
                "gpu": None,
                "at": 0.0,
                "until": "never",
            }
        ]
    )
    file = tmp_path / "none.json"
    seen = look(tmp_path, node.path, file)
    assert "no GPU answered, so there is nothing to record: " in seen.stderr
    assert "DRIVER_NOT_LOADED" in seen.stderr
    assert not file.exists()


def test_a_profile_without_a_look_is_refused():
    words = [sys.executable, "-m", "sickbay.node.launch", "--profile", "x.json"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--profile goes with --once" in refused.stderr
