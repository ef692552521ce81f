"""Rules that choose by what is known of a node beside its signals."""

from dataclasses import fields

from tests.support.rules import BOOT, START, gpu, parsed, reading, rules_from

from sickbay.core.facts import NO_FACTS, PROFILE_FIELDS, Facts, GpuFacts
from sickbay.core.platforms import PlatformProfile
from sickbay.core.rule_engine import observe
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import RuleSet

CHOOSY = """
- id: hot
  on: temperature
  when: signal.gpu > 80 {more}
  condition: {{type: Hot, severity: warning, scope: gpu}}
  clear: {{when: signal.gpu < 70}}
  because: heat
  {select}
"""

FACTS = Facts(
    node="gpu-1",
    pool="train",
    driver="570.124.06",
    gpus={gpu().pci: GpuFacts(profile=PlatformProfile(id="h100-sxm5", nvlinks=18), slot=0)},
)


def rules(*, more: str = "", select: str = "") -> RuleSet:
    return rules_from(CHOOSY.format(more=more, select=select))


def opened(chosen: RuleSet, facts: Facts) -> list[str]:
    hot = reading("temperature", 0, gpu=90)
    seen = observe(chosen, EngineState(boot_id=BOOT), [hot], now=START, boot_id=BOOT, facts=facts)
    return [condition.type for condition in seen.conditions_changed]


def test_a_rule_is_asked_only_of_the_nodes_that_it_selects() -> None:
    trains = rules(select="select: {pool: train, driver: '>=570', platform: [h100-sxm5]}")
    assert opened(trains, FACTS) == ["Hot"]
    assert opened(trains, Facts(node="gpu-1", pool="infer")) == []
    assert opened(trains, NO_FACTS) == []


def test_an_expression_may_name_the_node_and_the_gpu() -> None:
    named = rules(more="&& node.pool == 'train' && gpu.platform == 'h100-sxm5'")
    assert opened(named, FACTS) == ["Hot"]
    assert opened(named, Facts(pool="infer")) == []


def test_an_expression_may_name_what_the_platform_expects() -> None:
    assert opened(rules(more="&& profile.nvlinks == 18"), FACTS) == ["Hot"]
    assert opened(rules(more="&& profile.nvlinks != 4"), NO_FACTS) == []
    assert opened(rules(more="&& profile.ports != 8"), FACTS) == []


def test_every_field_of_a_profile_that_is_a_number_can_be_named() -> None:
    numbers = {field.name for field in fields(PlatformProfile)} - {"id", "name"}
    assert {name.removeprefix("profile.") for name in PROFILE_FIELDS} == numbers


def test_what_is_not_known_of_a_node_is_unknown_and_opens_nothing() -> None:
    assert opened(rules(more="&& node.pool != 'infer'"), NO_FACTS) == []


def test_a_condition_clears_by_its_own_rule_wherever_the_node_is_moved() -> None:
    chosen = rules(select="select: {pool: train}")
    hot, cool = reading("temperature", 0, gpu=90), reading("temperature", 10, gpu=60)
    seen = observe(chosen, EngineState(boot_id=BOOT), [hot], now=START, boot_id=BOOT, facts=FACTS)
    after = observe(chosen, seen.state, [cool], now=START.later(10), boot_id=BOOT, facts=NO_FACTS)
    assert [(c.type, c.is_open) for c in after.conditions_changed] == [("Hot", False)]


def test_a_selector_that_selects_everything_or_cannot_be_read_is_refused() -> None:
    for select in ("{}", "{driver: '570'}", "{pool: []}", "{pools: [a]}", "{node: [1]}"):
        _, problems = parsed(CHOOSY.format(more="", select=f"select: {select}"))
        assert problems, select


def test_the_digest_of_a_rule_set_knows_whom_its_rules_select() -> None:
    assert rules(select="select: {pool: train}").digest != rules().digest
