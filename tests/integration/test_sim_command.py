"""Simulated nodes by hand."""

from pathlib import Path

from click.testing import CliRunner

from sickbay.sim.__main__ import main
from sickbay.sim.known_profiles import profile_names
from sickbay.sim.node_dir import NodeDir


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.output


def test_a_node_is_made_hurt_and_rebooted(tmp_path: Path):
    folder = str(tmp_path / "node")
    assert run("node", folder, "--profile", "gb200x4")[0] == 0
    assert run("hurt", folder, '{"fault": "c2c_down", "gpu": 3, "link": 0}')[0] == 0
    node = NodeDir(Path(folder))
    assert (len(node.read_profile()["gpus"]), len(node.read_faults())) == (4, 1)
    assert run("reboot", folder)[0] == 0
    assert node.read_faults() == []


def test_a_wrong_name_lists_the_right_ones_and_so_does_the_help(tmp_path: Path):
    code, said = run("node", str(tmp_path / "node"), "--profile", "b300x8")
    assert code == 1
    assert all(name in said for name in profile_names())
    assert all(name in " ".join(run("node", "--help")[1].split()) for name in ("rtx4090x2", "gb200x4"))


def test_a_fault_that_cannot_be_is_refused(tmp_path: Path):
    folder = str(tmp_path / "node")
    run("node", folder)
    for fault, complaint in (
        ('{"fault": "lost", "gpu": 8}', "the node has 8"),
        ('{"fault": "tired", "gpu": 0}', "tired"),
    ):
        code, said = run("hurt", folder, fault)
        assert code == 1
        assert complaint in said
