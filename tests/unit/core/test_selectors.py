"""Which nodes and GPUs a rule is for."""

import pytest

from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.facts import NO_FACTS, Facts, GpuFacts
from sickbay.core.platforms import PlatformProfile
from sickbay.core.selectors import Selector
from sickbay.core.versions import VersionRange

H100 = Subject(scope=Scope.GPU, pci="0000:1b:00")
LINK = Subject(scope=Scope.LINK, pci="0000:1b:00", link=3)
FACTS = Facts(
    node="gpu-017",
    pool="train",
    driver="570.124.06",
    gpus={"0000:1b:00": GpuFacts(profile=PlatformProfile(id="h100-sxm5", nvlinks=18), slot=0)},
)


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        (Selector(), True),
        (Selector(pool=("train", "dev")), True),
        (Selector(pool=("infer",)), False),
        (Selector(node=("gpu-*",)), True),
        (Selector(node=("login*", "gpu-01?")), True),
        (Selector(node=("GPU-*",)), False),
        (Selector(driver=VersionRange.parse(">=570")), True),
        (Selector(driver=VersionRange.parse(">=575")), False),
        (Selector(platform=("h100-sxm5",)), True),
        (Selector(platform=("b200-sxm6",)), False),
        (Selector(platform=("h100-sxm5",), pool=("infer",)), False),
    ],
)
def test_all_parts_must_hold(*, selector: Selector, chosen: bool):
    assert selector.chooses(FACTS, H100) is chosen
    assert selector.chooses(FACTS, LINK) is chosen


@pytest.mark.parametrize(
    "selector",
    [
        Selector(pool=("train",)),
        Selector(node=("gpu-*",)),
        Selector(driver=VersionRange.parse(">=1")),
        Selector(platform=("h100-sxm5",)),
    ],
)
def test_what_is_not_known_is_not_chosen(selector: Selector):
    assert not selector.chooses(NO_FACTS, H100)
    assert not selector.chooses(NO_FACTS, NODE)


def test_a_node_is_of_a_platform_when_all_its_gpus_are():
    selector = Selector(platform=("h100-sxm5",))
    mixed = Facts(
        gpus={"0000:1b:00": GpuFacts(profile=PlatformProfile(id="h100-sxm5")), "0000:43:00": GpuFacts()}
    )
    assert selector.chooses(FACTS, NODE)
    assert not selector.chooses(mixed, NODE)
    assert selector.chooses(mixed, H100)


def test_a_selector_says_what_it_asks_for():
    selector = Selector(pool=("train",), driver=VersionRange.parse(">=570,<575"))
    assert str(selector) == "driver >=570, <575; pool train"
