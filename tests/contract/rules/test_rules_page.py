"""docs/rules.md can be believed: its examples load, its cases hold, and what it calls wrong is refused so."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from tests.support.rules import written

from sickbay.cli.case_lines import read_lines
from sickbay.core.case_runs import Bench, run_case
from sickbay.core.expressions import Expression, compile_expression
from sickbay.core.problems import RefusedError
from sickbay.core.remedies import DrainMode, OnTimeout, RungKind
from sickbay.core.remedy_parsing import parse_remedies
from sickbay.core.rule_lint import lint
from sickbay.core.rule_parsing import RULE_KEYS
from sickbay.core.signals import EVENT_KINDS, KINDS
from sickbay.host.case_files import cases_of_layers, load_cases, profiles_by_id
from sickbay.host.platform_files import load_platforms
from sickbay.host.rule_files import builtin_rules_dir, checked, load_rules, merge_rules

PAGE = (builtin_rules_dir().parent / "docs" / "rules.md").read_text(encoding="utf-8")


class Block(NamedTuple):
    """A fenced block: the words after its fence, and what it holds."""

    words: tuple[str, ...]
    text: str


def blocks() -> Iterator[Block]:
    """Every fenced block of the page, without its indentation."""
    for match in re.finditer(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", PAGE, re.MULTILINE):
        yield Block(tuple(match[2].split()), dedent(match[3]))


BLOCKS = tuple(blocks())
NAME = re.compile(r"# (rules\.d/\S+)\n")
GOOD = {
    found[1]: block.text for block in BLOCKS if block.words == ("yaml",) and (found := NAME.match(block.text))
}
WRONG = [
    (block.text, BLOCKS[index + 1].text)
    for index, block in enumerate(BLOCKS)
    if block.words == ("yaml", "refused")
]
CEL = [
    (block.words, line) for block in BLOCKS if block.words[:1] == ("cel",) for line in block.text.splitlines()
]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """All good examples of the page, as one site's folder."""
    for name, text in GOOD.items():
        written(tmp_path / name, text)
    return tmp_path / "rules.d"


def test_the_page_has_examples_of_every_kind() -> None:
    assert {Path(name).parent.name for name in GOOD} == {"rules.d", "cases"}
    assert "rules.d/remedies.yaml" in GOOD
    assert len(WRONG) == 3
    assert {words[1] for words, _ in CEL} == {"temperature", "xid", "refused"}


def test_its_examples_are_rules_that_load_over_the_built_in_ones_without_a_mistake(site: Path) -> None:
    merged = merge_rules(site)
    loaded = checked(merged)
    found = lint(loaded.rules.rules, loaded.remedies, merged.rules, merged.remedies)
    assert [str(each) for each in found if "a remedy that no rule names" not in str(each)] == []
    assert {"site-gpu-hot", "site-near-the-limit"} <= {rule.id for rule in loaded.rules.rules}


@pytest.mark.parametrize("name", [name for name in GOOD if "/cases/" not in name])
def test_each_of_them_loads_alone(name: str, tmp_path: Path) -> None:
    assert load_rules(written(tmp_path / name, GOOD[name]).parent).rules


def test_what_it_changes_of_the_built_in_rules_is_changed(site: Path) -> None:
    rules, builtin = load_rules(site).rules.by_id, load_rules().rules.by_id
    brake, bus = rules["gpu-power-brake"], rules["xid-79-gpu-off-the-bus"]
    assert (brake.hold, brake.when) == (300.0, builtin["gpu-power-brake"].when)
    assert bus.condition.severity.value == "critical"
    assert bus.condition.type == builtin["xid-79-gpu-off-the-bus"].condition.type
    assert rules["gpu-at-slowdown-temperature"].boot_grace == 0.0
    assert "gpu-hw-thermal-slowdown" in builtin.keys() - rules.keys()


def test_its_cases_hold(site: Path) -> None:
    loaded, platforms = load_rules(site), load_platforms(site).platforms
    cases = load_cases(cases_of_layers((site,)), loaded.rules, platforms).cases
    bench = Bench(
        rules=loaded.rules,
        remedies=loaded.remedies,
        platforms=profiles_by_id(platforms),
        read_lines=read_lines,
    )
    assert len(cases) == 3
    assert [(case.name, said) for case in cases if (said := run_case(case, bench).disagreements)] == []


@pytest.mark.parametrize(("text", "said"), WRONG, ids=lambda text: text.splitlines()[0])
def test_what_it_calls_wrong_is_refused_in_those_words(text: str, said: str, tmp_path: Path) -> None:
    found = NAME.match(text)
    assert found
    file = written(tmp_path / found[1], text)
    with pytest.raises(RefusedError) as refused:
        load_rules(file)
    told = str(refused.value).replace(f"{tmp_path}/", "").splitlines()
    quoted = [re.escape(line).replace("…", ".+") for line in said.splitlines()]
    assert len(told) == len(quoted)
    assert [one for one, form in zip(told, quoted, strict=True) if not re.fullmatch(form, one)] == []


@pytest.mark.parametrize(("words", "line"), CEL, ids=lambda value: str(value)[:60])
def test_an_expression_is_taken_or_refused_as_it_says(words: tuple[str, ...], line: str) -> None:
    text, _, said = line.partition("//")
    compiled = compile_expression(words[-1], text.strip())
    if words[1] != "refused":
        assert isinstance(compiled, Expression), compiled
    else:
        assert not isinstance(compiled, Expression)
        assert said.strip() in [mistake.message for mistake in compiled]


UNKNOWN_ROW = re.compile(r"^\| `([^`]+)` \| (unknown|true|false) \|$", re.MULTILINE)


def test_its_table_of_the_unknown_is_so() -> None:
    rows = UNKNOWN_ROW.findall(PAGE)
    assert len(rows) == 5
    for text, said in rows:
        compiled = compile_expression("temperature", text.replace("\\|", "|"))
        assert isinstance(compiled, Expression)
        answer = compiled.evaluate({"signal.gpu": 90})
        assert (text, {None: "unknown", True: "true", False: "false"}[answer]) == (text, said)


def section(title: str) -> str:
    """The text under one heading."""
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_key_of_a_rule_and_of_a_condition_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)`", section("The keys of a rule"), re.MULTILINE))
    assert {*RULE_KEYS, "disable", "type", "severity", "scope", "reason", "family"} == explained


def test_the_defaults_of_remedies_are_those_that_it_says() -> None:
    text = section("Remedies, and what may act")
    remedies, problems = parse_remedies(())
    assert not problems
    none = remedies["none"]
    assert (none.drain.mode, none.drain.on_timeout) == (DrainMode.WAIT, OnTimeout.HOLD)
    spans = (none.drain.timeout, none.validation.soak, none.validation.deadline, none.attempts.window)
    assert spans == (7 * 86400.0, 60.0, 600.0, 86400.0)
    assert (none.attempts.max, none.deadlines.cordon, none.deadlines.returning) == (2, 60.0, 120.0)
    for word in ("`7d`", "`60s`", "`10m`", "`2`, `24h`", "`60s`, `60s`, `2m`", "`15m`"):
        assert word in text
    order = ", ".join(f"`{kind.value}`" for kind in RungKind)
    assert order in text


def test_every_kind_of_signal_stands_on_the_page_that_it_points_to() -> None:
    page = (builtin_rules_dir().parent / "docs" / "signals.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### `(\w+)` \(", page, re.MULTILINE)) == set(KINDS)
    assert {kind for kind in KINDS if f"`{kind}` (event)" in page} == EVENT_KINDS
    unnamed = [
        (kind, name) for kind, fields in KINDS.items() for name in fields if f"| `{name}` |" not in page
    ]
    assert unnamed == []
