"""Where nodes stand, from the site's map and from what agents say."""

from pathlib import Path

import pytest

from sickbay.coordinator.places import Places, load_places
from sickbay.core.areas import Place
from sickbay.core.ids import NodeName
from sickbay.core.problems import RefusedError

MAP = """
nodes:
  gpu-[001-004]: {pool: h100, rack: r1, nvlink: d1}
  gpu-[003-004]: {rack: r2, switch: leaf-2}
"""


def at(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "places.yaml"
    path.write_text(text)
    return path


def test_a_map_names_ranges_and_a_later_line_goes_before_an_earlier_one(tmp_path: Path):
    places = load_places(at(tmp_path, MAP))
    assert places.of(NodeName("gpu-001")).groups == ("pool:h100", "rack:r1", "nvlink:d1")
    assert places.of(NodeName("gpu-004")).groups == ("pool:h100", "rack:r2", "nvlink:d1", "switch:leaf-2")


def test_what_the_map_does_not_say_the_agent_may_and_else_it_is_the_default(tmp_path: Path):
    places = load_places(at(tmp_path, MAP))
    assert places.of(NodeName("cpu-1"), "login").pool == "login"
    assert places.of(NodeName("gpu-001"), "login").pool == "h100"
    assert Places().of(NodeName("n1")) == Place(node=NodeName("n1"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: {gpu-1: {rak: r1}}", "unknown key 'rak'"),
        ("nodes: {'gpu-[1': {rack: r1}}", "a range of names"),
    ],
)
def test_a_map_with_a_mistake_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(RefusedError) as refused:
        load_places(at(tmp_path, text))
    assert said in str(refused.value)
    assert "places.yaml" in str(refused.value)
