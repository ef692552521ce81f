"""What is expected of a GPU, told by its ids and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.platforms import NO_PLATFORMS, UNKNOWN_PLATFORM, PlatformProfile, Platforms, describe

H100 = PlatformProfile(id="h100-sxm5", name="H100 SXM5", nvlinks=18, nvlink_version=6, port_rate=400.0)
CARD = PlatformProfile(id="a10", nvlinks=0, pcie_gen=4, pcie_width=16)
SMART_CARD = PlatformProfile(id="bluefield", nvlinks=0, pcie_gen=4, pcie_width=8)
PLATFORMS = Platforms(by_device={"2330": H100, "2236": CARD, "2236:149d": SMART_CARD, "20b3:14a7": CARD})


@pytest.mark.parametrize("told", ["0x233010DE", "0x233010de", "233010de", "2330"])
def test_a_gpu_is_known_by_its_device_id_however_it_is_written(told: str):
    assert PLATFORMS.of(told) == H100


def test_the_subsystem_tells_boards_of_one_device_id_apart():
    assert PLATFORMS.of("0x223610DE", "0x149d15b3") is SMART_CARD
    assert PLATFORMS.of("0x223610DE", "0x148210DE") is CARD


@pytest.mark.parametrize("subsystem", ["", "0x00000000"])
def test_while_the_subsystem_is_not_known_only_what_all_agree_in_is_expected(subsystem: str):
    expected = PLATFORMS.of("0x223610DE", subsystem)
    assert (expected.id, expected.nvlinks, expected.pcie_gen, expected.pcie_width) == ("", 0, 4, None)


def test_a_board_that_only_another_subsystem_has_is_unknown():
    assert PLATFORMS.of("0x20b310DE", "0x999910DE") is UNKNOWN_PLATFORM


@pytest.mark.parametrize("told", ["", "0x", "0x123410DE", "23", "NVIDIA H100 80GB HBM3"])
def test_of_a_gpu_that_nobody_lists_nothing_is_expected(told: str):
    assert PLATFORMS.of(told) == UNKNOWN_PLATFORM
    assert NO_PLATFORMS.of("0x233010DE") == UNKNOWN_PLATFORM


@given(st.text(), st.text())
def test_no_id_is_too_odd_to_be_looked_up(device: str, subsystem: str):
    assert isinstance(PLATFORMS.of(device, subsystem), PlatformProfile)


def test_a_profile_is_described_in_the_words_of_people_and_only_as_far_as_it_says_something():
    assert describe(H100) == (
        ("id", "h100-sxm5"),
        ("name", "H100 SXM5"),
        ("nvlinks", "18"),
        ("nvlink_version", "4.0"),
        ("port_rate", "400 Gb/s"),
    )
    assert dict(describe(PlatformProfile(nvlink_version=99)))["nvlink_version"] == "99"


def test_of_an_unknown_platform_there_is_nothing_to_describe():
    assert describe(UNKNOWN_PLATFORM) == ()
    assert dict(describe(PlatformProfile(nvlinks=0))) == {"nvlinks": "0"}
