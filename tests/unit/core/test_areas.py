"""Parts of a fleet as people write them."""

import pytest

from sickbay.core.areas import Place, parse_area
from sickbay.core.ids import NodeName


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("fleet", "fleet"),
        ("gpu-07", "node:gpu-07"),
        ("node:gpu-07", "node:gpu-07"),
        (" pool:h100 ", "pool:h100"),
        ("rack:r12", "rack:r12"),
        ("nvlink:d1", "nvlink:d1"),
        ("switch:leaf-3", "switch:leaf-3"),
    ],
)
def test_an_area_is_read_as_people_write_it(text: str, area: str):
    assert parse_area(text) == area


@pytest.mark.parametrize("text", ["", "fleet:x", "room:1", "pool:", "pool:a b", "a b"])
def test_what_is_no_area_is_refused_with_the_forms_that_are(text: str):
    with pytest.raises(ValueError, match="expected fleet, pool:NAME, node:NAME, rack:NAME"):
        parse_area(text)


def test_a_node_without_a_known_domain_shares_a_budget_with_its_pool_alone():
    assert Place(node=NodeName("n1")).groups == ("pool:default",)
