"""Environments that kinds of signals share, without seeing each other's fields."""

from cel_expr_python import cel

from sickbay.core.expression_environments import shared_environments
from sickbay.core.expressions import Expression, compile_expression, variables_of
from sickbay.core.signals import KINDS

INT, TEXT = cel.Type.INT, cel.Type.STRING


def test_kinds_share_unless_they_give_a_name_different_types() -> None:
    found = shared_environments({"a": {"x": INT}, "b": {"x": INT, "y": TEXT}, "c": {"x": TEXT}})
    assert found["a"] is found["b"]
    assert found["a"] is not found["c"]
    assert found["c"].compile("x == 'text'").return_type() == cel.Type.BOOL


def test_every_field_of_every_kind_has_its_own_type() -> None:
    for kind in KINDS:
        for name in variables_of(kind):
            assert isinstance(compile_expression(kind, f"{name} == {name}"), Expression), (kind, name)


def test_a_field_of_another_kind_is_unknown_however_it_is_written() -> None:
    assert "code" in KINDS["xid"]
    assert "code" not in KINDS["memory"]
    for text in ("signal.code == 79", "signal . code == 79", "signal\n.code == 79"):
        assert isinstance(compile_expression("xid", text), Expression)
        assert not isinstance(compile_expression("memory", text), Expression)


def test_the_word_in_a_text_does_no_harm() -> None:
    found = compile_expression("service", 'signal.unit == "signal.code"')
    assert isinstance(found, Expression)
    assert found.evaluate({"signal.unit": "signal.code"}) is True
