"""What the demonstration may be asked for."""

import pytest
from click.testing import CliRunner

from sickbay.cli.demo import demo
from sickbay.sim.known_profiles import profile_names


@pytest.mark.parametrize("name", profile_names())
def test_every_simulated_host_can_be_named_and_a_wrong_name_lists_them(name: str):
    refused = CliRunner().invoke(demo, ["--profile", "h100x9"])
    assert refused.exit_code == 2
    assert f"'{name}'" in refused.output
