"""Hosts that can be simulated by name."""

from pathlib import Path

import pynvml
import pytest

from sickbay.host.nvml.profile import load_profile
from sickbay.sim.known_profiles import USUAL, UnknownProfileError, profile_file, profile_names
from sickbay.sim.nvml_calls import HANDLERS
from sickbay.sim.simulated_node import H100X8, create_node


def test_there_is_one_of_each_kind_that_people_run():
    assert set(profile_names()) >= {
        "rtx4090x2",
        "a100x8",
        "h100x8",
        "b200x8",
        "gb200x4",
        "h100x8-mig",
        "a100-vgpu",
        "a100x8-driver470",
        "v100x8-driver450",
    }
    assert profile_file(USUAL) == H100X8


@pytest.mark.parametrize("name", profile_names())
def test_each_says_where_it_comes_from_and_lacks_only_what_nvml_has(name: str):
    file = profile_file(name)
    profile = load_profile(file)
    assert "written by hand" in profile.about.lower()
    assert "no driver answered so" in file.read_text().lower()
    assert not profile.recorded
    known = {*HANDLERS, *(name for name in vars(pynvml) if name.startswith("NVML_FI_"))}
    assert set(profile.lacks) <= known


@pytest.mark.parametrize("name", profile_names())
def test_no_two_gpus_of_a_host_are_one(name: str):
    gpus = load_profile(profile_file(name)).complete_gpus()
    assert len({gpu.pci for gpu in gpus}) == len({gpu.values["uuid"] for gpu in gpus}) == len(gpus)


def test_a_name_that_nobody_knows_is_refused_with_those_that_there_are(tmp_path: Path):
    with pytest.raises(
        UnknownProfileError, match=r"'h100x9' is no simulated host; there are a100-vgpu, .*h100x8"
    ):
        create_node(tmp_path / "node", profile="h100x9")
    assert not (tmp_path / "node").exists()


def test_a_file_of_ones_own_is_as_good_as_a_name(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(H100X8.read_bytes())
    node = create_node(tmp_path / "node", profile=str(file))
    assert len(node.read_profile()["gpus"]) == 8
