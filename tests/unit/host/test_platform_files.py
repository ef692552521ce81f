"""Platform profiles from files: those that come with the code, and what a site says over them."""

import csv
from pathlib import Path

import pytest
from tests.support.rules import written

from sickbay.core.platforms import PlatformProfile, describe
from sickbay.core.problems import RefusedError
from sickbay.host.platform_files import load_platforms
from sickbay.host.rule_files import builtin_rules_dir, load_rules

BUILTIN = '- {id: h100, name: H100, devices: ["2330"], nvlinks: 18, pcie_width: 16}\n'


@pytest.fixture
def builtin(tmp_path: Path) -> Path:
    return written(tmp_path / "builtin/platforms/hopper.yaml", BUILTIN).parent.parent


def site(tmp_path: Path, text: str, name: str = "site") -> Path:
    return written(tmp_path / f"{name}/platforms/mine.yaml", text).parent.parent


def refused(builtin: Path, *sites: Path) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        load_platforms(*sites, builtin=builtin)
    return [str(problem) for problem in caught.value.problems]


def test_the_profiles_that_come_with_the_code_load():
    loaded = load_platforms()
    assert {file.parent for file in loaded.files} == {builtin_rules_dir() / "platforms"}
    assert loaded.platforms.of("0x233010DE").nvlinks == 18


def test_profiles_are_no_rules():
    assert not [file for file in load_rules().files if "platforms" in file.parts]


def test_a_site_says_more_of_a_platform_field_by_field(builtin: Path, tmp_path: Path):
    mine = site(tmp_path, "- {id: h100, gpus: 8, nvlinks: null}")
    profile = load_platforms(mine, builtin=builtin).platforms.of("2330")
    assert profile == PlatformProfile(id="h100", name="H100", gpus=8, pcie_width=16)


def test_a_site_adds_a_platform_and_takes_one_away(builtin: Path, tmp_path: Path):
    mine = site(tmp_path, '- {id: mine, name: Mine, devices: ["beef"]}\n- {id: h100, disable: true}')
    assert set(load_platforms(mine, builtin=builtin).platforms.by_device) == {"beef"}


def test_later_layers_lie_over_earlier_ones_and_one_without_profiles_says_nothing(
    builtin: Path, tmp_path: Path
):
    first, second = (site(tmp_path, f"- {{id: h100, gpus: {n}}}", f"site-{n}") for n in (4, 8))
    rules_alone = written(tmp_path / "alone.yaml", "[]")
    loaded = load_platforms(first, rules_alone, second, builtin=builtin)
    assert loaded.platforms.of("2330").gpus == 8
    assert len(loaded.files) == 3


def test_problems_of_all_files_are_told_at_once_with_their_places(builtin: Path, tmp_path: Path):
    mine = site(tmp_path, "- {id: h100, gpus: lots}\n- {gpus: 8}")
    broken = site(tmp_path, "- [", "broken")
    found = refused(builtin, mine, broken)
    assert any(f"{mine}/platforms/mine.yaml:1:20: found gpus: 'lots'" in each for each in found), found
    assert any(f"{mine}/platforms/mine.yaml:2:3: found no id" in each for each in found), found
    assert any(str(broken) in each for each in found), found


@pytest.mark.parametrize(
    ("device", "platform"),
    [
        ("20b0", "a100-sxm4"),
        ("20f1", "a100-pcie-40gb"),
        ("20b7", "a30"),
        ("2330", "h100-sxm5"),
        ("2331", "h100-pcie"),
        ("2321", "h100-nvl"),
        ("2335", "h200-sxm5"),
        ("2329", "h20-sxm5"),
        ("2901", "b200-sxm6"),
        ("3182", "b300-sxm6"),
        ("2941", "gb200"),
        ("31c2", "gb300"),
        ("2342", "gh200"),
        ("26b9", "l40s"),
        ("27b8", "l4"),
        ("1eb8", "t4"),
        ("1db5", "v100-sxm2"),
    ],
)
def test_the_usual_boards_are_known(device: str, platform: str):
    assert load_platforms().platforms.of(device).id == platform


def test_of_a_players_board_it_is_known_what_it_is_and_nothing_is_expected():
    assert [name for name, _ in describe(load_platforms().platforms.of("2684"))] == ["id", "name"]


def test_no_board_is_expected_to_be_wider_than_nvidias_diagnostic_asks():
    """A profile that wanted more lanes than DCGM accepts would accuse boards that NVIDIA calls well."""
    platforms = load_platforms().platforms
    with (builtin_rules_dir() / "catalogue/gpu_skus.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["pcie_min_width"]]
    astray = {
        row["pci_device_id"]: (profile.pcie_width, row["pcie_min_width"])
        for row in rows
        if (profile := platforms.of(row["pci_device_id"][:4], row["pci_device_id"][4:])).pcie_width
        and profile.pcie_width > float(row["pcie_min_width"])
    }
    assert astray == {}
