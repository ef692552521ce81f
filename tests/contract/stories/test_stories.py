"""What befell other people's fleets, and what Sickbay decides in the course of it.

Each story runs the real way: lines through the monitor of the kernel log, signals through the built-in rules,
conditions through incidents and the rehearsal of what follows, in mode act. What is decided is compared whole
with the golden decisions beside the story. A naive rule set goes the same way, so that a story that could
catch nobody out would show.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.support.cases import bench
from tests.support.stories import FILES, Story, decisions, told

from sickbay.core.case_runs import run_case

EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def decided(file: Path) -> dict[str, Any]:
    return json.loads(json.dumps(decisions(told(file))))


def golden(story: Story) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(story.golden.read_text())
    return known


@EACH
def test_the_decisions_are_the_golden_ones(file: Path) -> None:
    assert decided(file) == golden(told(file)), "python -m tests.support.stories shows the difference"


@EACH
def test_every_node_is_as_its_part_of_the_story_says(file: Path) -> None:
    for part in told(file).parts:
        result = run_case(part.case, bench())
        assert result.holds, [(each.expected, each.found, each.why) for each in result.disagreements]


@EACH
def test_a_naive_tool_is_caught_out(file: Path) -> None:
    """It touches nodes that are well, or sees nothing of what is wrong, or acts again and again."""
    ours, naive = golden(told(file)), golden(told(file))["naive"]
    touched = ours["nodes"] - ours["nodes_left_alone"]
    overdoes = naive["nodes_touched"] > touched or sum(naive["actions"].values()) > len(ours["done"])
    misses = naive["conditions"] < sum(ours["by_rule"].values())
    assert overdoes or misses
    assert told(file).wrong


def test_the_stories_that_must_hold_are_all_here() -> None:
    assert [file.stem for file in FILES] == [
        "a-fabric-manager-dead-for-20-days",
        "a-job-crash-on-77-nodes",
        "a-lost-gpu-before-the-agent-started",
        "a-power-brake-for-36-hours",
        "fatal-lines-from-three-nodes",
        "links-that-train-after-boot",
        "one-link-and-63-fatal-victims",
        "one-link-and-63-victims",
    ]
