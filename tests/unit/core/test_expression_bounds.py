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
        ("cel.bind(x, signal.name, x + x == 'a')", 0),
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
    ],
)
def test_what_its_text_bounds_is_taken(text: str):
    assert unbounded_in(text) is None
    assert isinstance(compile_expression("xid", text), Expression)
