"""Platform profiles out of what a person wrote, with every mistake told where it stands."""

import pytest
from tests.support.rules import entries_from

from sickbay.core.platform_parsing import parse_platforms
from sickbay.core.platforms import PlatformProfile

H100 = """
- id: h100-sxm5
  name: H100 SXM5
  devices: ["2330", "2236:149d"]
  nvlinks: 18
  nvlink_version: "4.0"
  pcie_gen: 5
  pcie_width: 16
  power: 700
  port_rate: 400
"""


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse_platforms(entries_from(text, file="h100.yaml"))[1]]


def test_a_profile_holds_for_each_of_its_devices_and_says_no_more_than_it_was_told():
    platforms, wrong = parse_platforms(entries_from(H100))
    assert wrong == ()
    profile = PlatformProfile(
        id="h100-sxm5",
        name="H100 SXM5",
        nvlinks=18,
        nvlink_version=6,
        pcie_gen=5,
        pcie_width=16,
        power=700,
        port_rate=400.0,
    )
    assert dict(platforms.by_device) == {"2330": profile, "2236:149d": profile}


def test_a_version_may_be_written_as_a_number():
    platforms, wrong = parse_platforms(entries_from(H100.replace('"4.0"', "4.0")))
    assert (wrong, platforms.of("2330").nvlink_version) == ((), 6)


def test_a_key_without_a_value_expects_nothing():
    platforms, wrong = parse_platforms(entries_from(H100.replace("nvlinks: 18", "nvlinks: null")))
    assert (wrong, platforms.of("2330").nvlinks) == ((), None)


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("nvlinks: 18", "nvlinks: -1", "h100.yaml:5:12: found nvlinks: -1; expected a whole number from 0"),
        ("nvlinks: 18", "nvlinks: many", "h100.yaml:5:12: found nvlinks: 'many'"),
        ("nvlinks: 18", "nvlink: 18", "h100.yaml:5:3: found the unknown key 'nvlink'"),
        ("nvlinks: 18", "nvlink: 18", "(did you mean nvlinks?)"),
        ('"4.0"', '"4.1"', "h100.yaml:6:20: found nvlink_version: '4.1'; expected one of 1.0, 2.0"),
        ("400", "fast", "h100.yaml:10:14: found port_rate: 'fast'; expected Gb/s"),
        ("400", "true", "found port_rate: True"),
        ("400", "-1", "found port_rate: -1"),
        ("name: H100 SXM5", "name: null", "h100.yaml:2:3: found no name"),
        ('"2330", ', "2330, ", "h100.yaml:4:13: found 2330; expected a PCI device id in quotes"),
        ('"2330", ', '"233G", ', "found '233G'; expected a PCI device id"),
        ('"2236:149d"', '"2236:149D"', "found '2236:149D'; expected a PCI device id"),
        ('"2236:149d"', '"2330"', ""),
        ('["2330", "2236:149d"]', '"2330"', "h100.yaml:4:13: found devices: '2330'; expected a list"),
        ('["2330", "2236:149d"]', "[]", "found devices: []; expected a list of at least one"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(was: str, becomes: str, problem: str):
    found = problems(H100.replace(was, becomes, 1))
    assert any(problem in each for each in found) if problem else found == [], found


def test_a_device_belongs_to_one_platform():
    second = H100.replace("h100-sxm5", "mine").replace(', "2236:149d"', "")
    (found,) = problems(H100 + second.lstrip("\n"))
    assert "h100.yaml:13:14: found the device '2330', which the platform 'h100-sxm5' has" in found
    assert "write `id: h100-sxm5`" in found
