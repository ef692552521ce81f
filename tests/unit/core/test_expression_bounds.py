"""Expressions that could run long, or take much memory, are refused before they are compiled."""

import pytest

from sickbay.core.expression_bounds import MOST_REPEATS, unbounded_in
from sickbay.core.expressions import Expression, compile_expression


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("[1, 2].all(a, [1, 2].all(b, a <= b))", 6),
        ("[1, 2].exists(a, a == signal.code)", 6),
        ("[1, 2]. exists_one (a, a == signal.code)", 6),
        ("['a'].map(x, x + x) != []", 5),
        ("['a'].filter(x, x == signal.name) != []", 5),
        ("cel.bind(x, signal.name, x + x == 'a')", 3),
        ("[1].exists //\n(x, x == 1)", 3),
        ("[1]. //\nexists(x, x == 1)", 3),
        ("signal.name.matches //\n(signal.message)", 12),
        (r"signal.name.matches('a\x7b999}')", 20),
        (r"signal.name.matches('a\u007b999\175')", 20),
        ("signal.name.matches('(\\\\pL|\\\\pN){100}')", 20),
        (r"signal.name.matches('\\\x70L{90}')", 20),
        ("signal.name.matches('(.|[^a]|[^b]){100}')", 20),
        ("dyn(signal.code) > 80.5", 0),
        ("type(signal.code) == int", 0),
        ("timestamp('2020-01-01T00:00:00Z').getHours('Europe/Paris') == 1", 0),
        ("signal.code in {1: 1}", 15),
        ("google.protobuf.Value{}.list_value == []", 21),
        ("`signal.name` == 'a'", 0),
        ("has(signal.code)", 0),
        ("signal.pid != null", 14),
        ("'a' == 'b' // .all(\n || [1].all(a, a > 0)", 27),
        (r"signal.name == r'\' || [1].all(a, a > 0) || signal.name == ''", 26),
        ("signal.name.matches(signal.message)", 12),
        ("signal.name.matches('a' + signal.message)", 12),
        ("matches(signal.name, signal.message)", 0),
        (f"signal.name.matches('a{{{MOST_REPEATS + 1}}}')", 20),
        ("signal.name.matches('(a{11}){11}')", 20),
        ("signal.name.matches('a') || signal.name.matches('(a{99}){1,9}')", 48),
    ],
)
def test_what_its_text_does_not_bound_is_refused_with_its_place(text: str, offset: int):
    mistake = unbounded_in(text)
    assert mistake is not None
    assert mistake.offset == offset
    assert compile_expression("xid", text) == (mistake,)


@pytest.mark.parametrize(
    "text",
    [
        "signal.code in [31, 43]",
        "signal.message.contains('.all(')",
        'signal.message == "x.map(y)" // .map(',
        "signal.message.matches('GPU has .{1,20}bus')",
        "matches(signal.message, r'\\d+')",
        "signal.name.startsWith('a') ? signal.code > 3 : signal.code < 3",
        "signal.name.size() > 3",
        "signal.message == 'has(x) { null `'",
        "signal.code in (signal.synthetic ? [1] : [2])",
        "signal.message.matches('(?i)row .{1,20} bank')",
    ],
)
def test_what_its_text_bounds_is_taken(text: str):
    assert unbounded_in(text) is None
    assert isinstance(compile_expression("xid", text), Expression)


def test_a_pattern_that_is_none_is_refused_and_not_unknown_for_ever():
    (mistake,) = compile_expression("xid", "signal.code == 3 && signal.name.matches('row [')")
    assert (mistake.offset, mistake.message) == (40, "no regular expression: missing ]: [")


@pytest.mark.parametrize("text", ["(" * 60 + "true" + ")" * 60, " + ".join(["signal.code"] * 60) + " > 3"])
def test_what_is_nested_too_deep_is_told_in_words_that_help(text: str):
    (mistake, *_) = compile_expression("xid", text)
    assert mistake.message == "an expression nested more than 32 deep"


def test_half_a_character_is_refused_and_does_no_harm():
    (mistake,) = compile_expression("xid", "signal.name == '\ud800'")
    assert "Unicode" in mistake.message
