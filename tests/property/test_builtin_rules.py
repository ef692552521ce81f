"""What holds of every built-in rule, whatever its kind of signal says or cannot say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rules import BOOT, START, Host, gpu, link

from sickbay.core.conditions import Condition
from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.expressions import Expression, variables_of
from sickbay.core.rules import ClearWhen, Rule, RuleSet
from sickbay.core.signals import EVENT_KINDS, KINDS, EventId, FieldType, FieldValue, Signal
from sickbay.host.rule_files import load_rules

RULES = load_rules().rules
NUMBER, TEXT = re.compile(r"(?<![\w.'])\d+(?:\.\d+)?"), re.compile(r"""['"]([^'"]*)['"]""")
LOOKED_AT = sorted({*RULES.by_kind, *RULES.clearing_by_kind})
PARTS = st.sampled_from([gpu(0), gpu(1), link(1), NODE, Subject(scope=Scope.PORT, name="mlx5_0")])
TIMES = st.sampled_from([0.0, 10.0, 400.0, 800.0])
FEW = settings(max_examples=15)
"""Examples of each of some fifty kinds: seven hundred in all."""


def expressions_on(kind: str) -> list[Expression]:
    """All that some rule asks of signals of a kind, to open and to clear."""
    opening = [rule.when for rule in RULES.by_kind.get(kind, ())]
    return opening + [clear.when for _, clear in RULES.clearing_by_kind.get(kind, ())]


@cache
def values_of_type(kind: str, type_: FieldType) -> st.SearchStrategy[FieldValue]:
    """Unknown, and values around those that the rules on the kind compare with."""
    texts = [expression.text for expression in expressions_on(kind)]
    numbers = sorted({float(found) for text in texts for found in NUMBER.findall(text)} | {0.0, 1.0})
    near = [number + step for number in numbers for step in (-1.0, 0.0, 1.0)]
    words = sorted({found for text in texts for found in TEXT.findall(text)} | {"other"})
    known: dict[FieldType, Sequence[FieldValue]] = {
        FieldType.BOOL: (True, False),
        FieldType.INT: [int(number) for number in near],
        FieldType.FLOAT: near,
        FieldType.TEXT: words,
    }
    return st.sampled_from([None, *known[type_]])


def fields_of(kind: str) -> st.SearchStrategy[dict[str, FieldValue]]:
    """Any fields of a kind, each of them known or not."""
    return st.fixed_dictionaries(
        {name: values_of_type(kind, field.type) for name, field in KINDS[kind].items()}
    )


def signals_of(kind: str) -> st.SearchStrategy[Signal]:
    """Any signal of a kind; events have no identity yet."""
    return st.builds(
        lambda part, at, fields: Signal(kind=kind, subject=part, at=START.later(at), fields=fields),
        PARTS,
        TIMES,
        fields_of(kind),
    )


def identified(signals: Sequence[Signal]) -> list[Signal]:
    """The signals, each event with an identity of its own."""
    return [
        Signal(
            kind=signal.kind,
            subject=signal.subject,
            at=signal.at,
            fields=signal.fields,
            identity=EventId(boot_id=BOOT, source="kmsg", sequence=number)
            if signal.kind in EVENT_KINDS
            else None,
        )
        for number, signal in enumerate(signals)
    ]


@pytest.mark.parametrize("kind", LOOKED_AT)
@FEW
@given(data=st.data())
def test_what_is_unknown_turns_no_answer_into_another(kind: str, data: st.DataObject) -> None:
    """With any fields taken away an answer stays as it was or becomes unknown: never from no to yes."""
    values = {
        name: data.draw(values_of_type(kind, type_), label=name) for name, type_ in variables_of(kind).items()
    }
    gone = data.draw(st.sets(st.sampled_from(sorted(values))), label="taken away")
    left = {name: None if name in gone else value for name, value in values.items()}
    for expression in expressions_on(kind):
        whole, masked = expression.evaluate(values), expression.evaluate(left)
        assert masked is None or masked is whole, expression.text


@pytest.mark.parametrize("kind", LOOKED_AT)
def test_of_a_signal_that_could_not_say_anything_nothing_follows(kind: str) -> None:
    unknown: dict[str, FieldValue] = dict.fromkeys(KINDS[kind])
    for expression in expressions_on(kind):
        assert expression.evaluate({}) is None or not expression.names, expression.text
    said = [
        Signal(kind=kind, subject=part, at=START.later(at), fields=unknown)
        for part in (gpu(0), link(1), NODE)
        for at in range(0, 7200, 600)
    ]
    host = Host(rules=RULES)
    host.see(*identified(said))
    always = {rule.condition.type for rule in RULES.by_kind.get(kind, ()) if not rule.when.names}
    assert host.types() <= always


@pytest.mark.parametrize("kind", sorted(RULES.by_kind))
@FEW
@given(data=st.data())
def test_a_condition_opens_only_by_a_rule_whose_expression_was_settled(
    kind: str, data: st.DataObject
) -> None:
    """The same said again and again, for longer than any span: only what is true opens."""
    signal = data.draw(signals_of(kind))
    host = Host(rules=RULES)
    again = [
        Signal(kind=kind, subject=signal.subject, at=START.later(at), fields=signal.fields)
        for at in range(0, 4 * 3600, 300)
    ]
    host.see(*identified(again))
    values = {f"signal.{name}": value for name, value in signal.fields.items()}
    values |= {"signal.count": 1, "signal.synthetic": False}
    true = {rule.id for rule in RULES.by_kind[kind] if rule.when.evaluate(values) is True}
    assert {condition.rule for condition in host.state.conditions} <= true


ANY = st.lists(st.sampled_from(LOOKED_AT).flatmap(signals_of), max_size=25).map(identified)


def told(signals: Sequence[Signal]) -> tuple[Sequence[Condition], Sequence[Condition]]:
    host = Host(rules=RULES)
    host.see(*signals, at=1000)
    return host.state.conditions, host.last.conditions_changed


@given(ANY, st.randoms(use_true_random=False))
def test_the_order_of_signals_of_one_time_does_not_matter(signals: list[Signal], random: object) -> None:
    mixed = list(signals)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert told(signals) == told(mixed)


class Counted(Expression):
    """An expression that notes that it was asked."""

    __slots__ = ()
    asked: ClassVar[list[str]] = []

    @classmethod
    def of(cls, expression: Expression) -> "Counted":
        """The same expression, counted."""
        names = ("kind", "text", "names", "compiled")
        return cls(**{name: getattr(expression, name) for name in names})

    def evaluate(self, values: Mapping[str, FieldValue]) -> bool | None:
        """See `Expression`."""
        self.asked.append(self.text)
        return super().evaluate(values)


def counted(rule: Rule) -> Rule:
    """The same rule, its expressions counted."""
    clear = rule.clear
    if isinstance(clear, ClearWhen):
        clear = replace(clear, when=Counted.of(clear.when))
    return replace(rule, when=Counted.of(rule.when), clear=clear)


def asked(rules: RuleSet, signals: Sequence[Signal]) -> int:
    """How many expressions were evaluated for these signals."""
    Counted.asked.clear()
    host = Host(rules=rules)
    for signal in sorted(signals, key=lambda each: each.at.mono):
        host.see(signal)
    return len(Counted.asked)


ALL = RuleSet.of([counted(rule) for rule in RULES.rules])


@pytest.mark.parametrize("kind", sorted(RULES.by_kind))
@FEW
@given(data=st.data())
def test_what_a_signal_costs_does_not_grow_with_the_rules_on_other_kinds(
    kind: str, data: st.DataObject
) -> None:
    """Counted in expressions that are evaluated; what each costs is measured by `make bench ARGS=rules`."""
    signals = identified(data.draw(st.lists(signals_of(kind), min_size=1, max_size=4)))
    alone = RuleSet.of([rule for rule in ALL.rules if rule.on == kind])
    most = len(ALL.by_kind[kind]) + len(ALL.clearing_by_kind.get(kind, ()))
    assert asked(ALL, signals) == asked(alone, signals) <= most * len(signals)
