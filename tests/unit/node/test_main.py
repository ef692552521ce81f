"""The agent's command line refuses what it could not work with, before it starts anything."""

from pathlib import Path

from click.testing import CliRunner, Result
from tests.support.rules import written

from sickbay.node.main import main


def check(tmp_path: Path, platforms: str) -> Result:
    written(tmp_path / "site/platforms/mine.yaml", platforms)
    config = written(tmp_path / "agent.yaml", f"rules: [{tmp_path}/site]\n")
    return CliRunner().invoke(main, ["--config", str(config), "--check-config"])


def test_platforms_beside_the_rules_are_checked_with_the_configuration(tmp_path: Path):
    assert check(tmp_path, "- {id: h100-sxm5, gpus: 8}").exit_code == 0
    refused = check(tmp_path, "- {id: h100-sxm5, gpus: lots}")
    assert refused.exit_code == 2
    assert f"{tmp_path}/site/platforms/mine.yaml:1:25: found gpus: 'lots'" in refused.stderr
