import math
from typing import Any

import pytest
from tests.support.rules import reading

from sickbay.core.expressions import (
    MOST_ANSWERS,
    MOST_CHARACTERS,
    Expression,
    Mistake,
    compile_expression,
    values_of,
)
from sickbay.core.signals import KINDS


def compiled(kind: str, text: str) -> Expression:
    expression = compile_expression(kind, text)
    assert isinstance(expression, Expression), expression
    return expression


def mistakes(kind: str, text: str) -> tuple[Mistake, ...]:
    found = compile_expression(kind, text)
    assert isinstance(found, tuple), found
    return found


@pytest.mark.parametrize(
    ("text", "fields", "answer"),
    [
        ("signal.code == 79", {"code": 79}, True),
        ("signal.code == 79", {"code": 31}, False),
        ("signal.code == 79", {"code": None}, None),
        ("signal.code == 79", {}, None),
        ("!(signal.code == 79)", {}, None),
        ("signal.code != 79", {}, None),
        ('signal.class == "hardware"', {"class": "hardware"}, True),
        ('signal.message.contains("GSP")', {"message": "waiting for RPC response from GPU4 GSP!"}, True),
        ("signal.code in [13, 31]", {"code": 31}, True),
    ],
)
def test_a_field_that_is_not_known_makes_the_answer_unknown(
    text: str, fields: dict[str, Any], answer: object
) -> None:
    signal = reading("xid", 0, **fields)
    assert compiled("xid", text).evaluate(values_of(signal)) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("signal.code == 79 || signal.pid == 1", True),
        ("signal.pid == 1 || signal.code == 79", True),
        ("signal.code == 1 && signal.pid == 1", False),
        ("signal.pid == 1 && signal.code == 1", False),
        ("signal.code == 1 || signal.pid == 1", None),
        ("signal.code == 79 && signal.pid == 1", None),
    ],
)
def test_logic_that_settles_the_answer_without_the_unknown_field_is_heard(text: str, answer: object) -> None:
    signal = reading("xid", 0, code=79, pid=None)
    assert compiled("xid", text).evaluate(values_of(signal)) is answer


def test_a_value_of_another_type_than_declared_is_unknown() -> None:
    assert compiled("xid", "signal.code == 79").evaluate({"signal.code": "79"}) is None


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("xid", "code", "79"),
        ("xid", "code", True),
        ("xid", "code", 79.0),
        ("xid", "code", 2**70),
        ("xid", "message", 79),
        ("clocks", "idle", 1),
        ("ecc", "corrected_rate", "fast"),
        ("ecc", "corrected_rate", True),
        ("ecc", "corrected_rate", 10**400),
    ],
)
def test_a_signal_that_does_not_keep_to_its_declaration_is_unknown(
    kind: str,
    field: str,
    value: Any,  # noqa: ANN401 - any value at all
) -> None:
    literal = {"bool": "true", "int": "79", "double": "1.0", "string": "'79'"}[KINDS[kind][field].type.value]
    expression = compiled(kind, f"signal.{field} == {literal}")
    for _ in range(2):
        assert expression.evaluate(values_of(reading(kind, 0, **{field: value}))) is None


def test_a_whole_number_is_a_number() -> None:
    assert compiled("ecc", "signal.corrected_rate > 5.0").evaluate(
        values_of(reading("ecc", 0, corrected_rate=6))
    )


def test_answers_are_remembered_within_bounds() -> None:
    expression = compiled("xid", "signal.code % 2 == 0")
    for code in range(10 * MOST_ANSWERS):
        assert expression.evaluate({"signal.code": code}) is (code % 2 == 0)
    assert len(expression._answers) <= MOST_ANSWERS


def test_an_error_while_evaluating_is_unknown() -> None:
    assert compiled("xid", "1 / signal.code == 1").evaluate({"signal.code": 0}) is None


def test_not_a_number_is_unknown_and_infinity_is_a_number() -> None:
    expression = compiled("ecc", "signal.corrected_rate < 5.0")
    assert expression.evaluate(values_of(reading("ecc", 0, corrected_rate=math.nan))) is None
    assert expression.evaluate(values_of(reading("ecc", 0, corrected_rate=math.inf))) is False


def test_an_expression_may_look_at_the_count_and_at_whether_the_signal_was_injected() -> None:
    expression = compiled("xid", "signal.count >= 1 && !signal.synthetic")
    assert expression.evaluate(values_of(reading("xid", 0))) is True


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("signal.cod == 79", 0, "undeclared reference to 'signal.cod'"),
        ('signal.code == "79"', 12, "no matching overload for '_==_' applied to '(int, string)'"),
        ("signal.code == 79 &&\n  signal.pidd == 1", 23, "undeclared reference to 'signal.pidd'"),
        ("signal.code ==", 14, "Syntax error"),
        ("signal.code", 0, "a value of type int where a yes or no is needed"),
        ("", 0, "Syntax error"),
        ("nod.name == 'a'", 0, "undeclared reference to 'nod.name'"),
    ],
)
def test_a_mistake_is_refused_with_its_position(text: str, offset: int, words: str) -> None:
    mistake = mistakes("xid", text)[0]
    assert mistake.offset == offset
    assert words in mistake.message


def test_every_mistake_is_told() -> None:
    assert [mistake.offset for mistake in mistakes("xid", "signal.a == 1 || signal.b == 2")] == [0, 17]


def test_a_very_long_expression_is_refused() -> None:
    text = " || ".join(["signal.code == 1"] * MOST_CHARACTERS)
    assert "longer than" in mistakes("xid", text)[0].message


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_declared_field_can_be_named(kind: str) -> None:
    for name, field in KINDS[kind].items():
        literal = {"bool": "true", "int": "1", "double": "1.0", "string": "''"}[field.type.value]
        assert compiled(kind, f"signal.{name} == {literal}").names == (f"signal.{name}",)


def test_a_name_that_begins_like_a_declared_one_is_not_bound_for_it() -> None:
    assert compiled("inventory", "signal.missing > 0").names == ("signal.missing",)
