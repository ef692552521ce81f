"""Rule expressions: CEL, typed against the catalogue of signals, with a third answer.

An expression is checked when it is loaded: a field that no monitor can say, a comparison of a number with a
text, or a result that is not a yes or no is refused there, with the position of the mistake. What is left at
run time is *unknown*: a field that its source could not read stays unbound, and the answer is None unless
CEL's own logic settles it without that field (`false && unknown` is false, `true || unknown` is true; CEL
language definition, section "Logical Operators").
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType

from cel_expr_python import cel

from sickbay.core.expression_bounds import Mistake, patterns_in, unbounded_in
from sickbay.core.expression_environments import shared_environments
from sickbay.core.facts import CONTEXT
from sickbay.core.signals import KINDS, FieldType, FieldValue, Signal

_TYPES: Mapping[FieldType, cel.Type] = MappingProxyType(
    {
        FieldType.BOOL: cel.Type.BOOL,
        FieldType.INT: cel.Type.INT,
        FieldType.FLOAT: cel.Type.DOUBLE,
        FieldType.TEXT: cel.Type.STRING,
    },
)

_EXACT: Mapping[FieldType, type] = MappingProxyType(
    {
        FieldType.BOOL: bool,
        FieldType.INT: int,
        FieldType.FLOAT: float,
        FieldType.TEXT: str,
    },
)
"""The Python type whose values fit as they are; of others, and of not-a-number, it must be found out."""

_EVERY_SIGNAL: Mapping[str, FieldType] = MappingProxyType(
    {"signal.count": FieldType.INT, "signal.synthetic": FieldType.BOOL},
)

MOST_ANSWERS = 64
"""Answers remembered an expression; codes and yes-or-no fields have fewer, and numbers that never repeat
are not worth more."""

MOST_CHARACTERS = 2000
"""Longer expressions are refused: what an expression costs grows with its text, and no rule needs more."""

_NAME = re.compile(r"\b(?:signal|node|gpu|profile)\.[A-Za-z_]\w*")
_SIGNAL = re.compile(r"\bsignal\b")

_CONTEXT: Mapping[str, FieldType] = MappingProxyType(
    {name: declared.type for name, declared in CONTEXT.items()},
)

# The library's message: `INVALID_ARGUMENT: ERROR: <input>:1:7: undeclared reference to 'signal.cod' (in
# container '')`, then the source with a caret, and again from `ERROR:` for each further mistake.
_MISTAKE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


_SURROGATE = re.compile(r"[\ud800-\udfff]")

_TOO_DEEP = re.compile(r"(?:recursion limit exceeded\. limit:|recursion depth of) (\d+)")

UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
"""How a mistake says that a name is not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A checked expression over the signals of one kind."""

    kind: str
    text: str
    names: tuple[str, ...]
    compiled: cel.Expression = field(repr=False, compare=False)
    _answers: dict[tuple[FieldValue, ...], bool | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def evaluate(self, values: Mapping[str, FieldValue]) -> bool | None:
        """Whether it holds; None is unknown. `values` as `values_of` gives them.

        The answer depends on what the expression names and on nothing else, so it is remembered: a host says
        the same thing most of the time, and looking up costs a tenth of evaluating.
        """
        known = tuple(map(values.get, self.names))
        try:
            return self._answers[known]
        except KeyError:
            answer = self._evaluated(known)
        if len(self._answers) >= MOST_ANSWERS:
            self._answers.clear()
        self._answers[known] = answer
        return answer

    def _evaluated(self, known: tuple[FieldValue, ...]) -> bool | None:
        """Only what the expression names is bound, and what is unknown is not: binding is what costs."""
        pairs = zip(self.names, known, strict=True)
        bound = {name: value for name, value in pairs if value is not None}
        result: object = self.compiled.eval(data=bound).value()
        return result if isinstance(result, bool) else None


def values_of(signal: Signal) -> dict[str, FieldValue]:
    """A signal's fields under the names that expressions use.

    A value of another type than declared is unknown, and so is not-a-number.
    """
    declared = _declared(signal.kind)
    values: dict[str, FieldValue] = {}
    for name, value in signal.fields.items():
        if name in declared:
            full, exact, type_ = declared[name]
            same = type(value) is exact and value == value  # noqa: PLR0124 - not-a-number is not itself
            values[full] = value if same else _typed(value, type_)
    values["signal.count"] = signal.count
    values["signal.synthetic"] = signal.synthetic
    return values


@cache
def _declared(kind: str) -> Mapping[str, tuple[str, type, FieldType]]:
    """Field -> its name in expressions, the type of values that need no further look, its declared type."""
    return {
        name: (f"signal.{name}", _EXACT[declaration.type], declaration.type)
        for name, declaration in KINDS.get(kind, {}).items()
    }


def _typed(value: FieldValue, declared: FieldType) -> FieldValue:
    """The value where it fits its declaration, with whole numbers as floats where those are declared."""
    if declared is FieldType.BOOL or isinstance(value, bool):
        fits = declared is FieldType.BOOL and isinstance(value, bool)
        return value if fits else None
    if declared is FieldType.FLOAT:
        return _number(value)
    return value if isinstance(value, int if declared is FieldType.INT else str) else None


def _number(value: FieldValue) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return None if math.isnan(number) else number


def compile_expression(kind: str, text: str) -> Expression | tuple[Mistake, ...]:
    """The expression over signals of `kind`, or what is wrong with it. `kind` must be in KINDS."""
    if (refused := _refused_unread(text)) is not None:
        return (refused,)
    try:
        compiled = _environment_for(kind, text).compile(text)
    except RuntimeError as error:
        return _mistakes(str(error), text)
    if (broken := _broken_pattern(kind, text)) is not None:
        return (broken,)
    if compiled.return_type() != cel.Type.BOOL:
        found = compiled.return_type().name().lower()
        return (Mistake(offset=0, message=f"a value of type {found} where a yes or no is needed"),)
    return Expression(kind=kind, text=text, names=_names(kind, text), compiled=compiled)


def _refused_unread(text: str) -> Mistake | None:
    """What need not be compiled to be refused. The library takes UTF-8, which has no half characters."""
    if len(text) > MOST_CHARACTERS:
        return Mistake(offset=0, message=f"longer than {MOST_CHARACTERS} characters")
    if not text.isascii() and _SURROGATE.search(text) is not None:
        return Mistake(offset=0, message="half of a character that Unicode writes in two")
    return unbounded_in(text)


def _broken_pattern(kind: str, text: str) -> Mistake | None:
    """A regular expression that RE2 refuses: CEL would find out at each signal, and be unknown for ever."""
    for offset, written in patterns_in(text):
        answer = _environment_for(kind, "").compile(f"''.matches({written})").eval(data={}).value()
        if not isinstance(answer, bool):
            why = str(answer).rpartition("regular expression: ")[2]
            return Mistake(offset=offset, message=f"no regular expression: {why}", expected="RE2's syntax")
    return None


@cache
def variables_of(kind: str) -> Mapping[str, FieldType]:
    """What an expression over signals of `kind` may name. `kind` must be in KINDS."""
    declared = {f"signal.{name}": declaration.type for name, declaration in KINDS[kind].items()}
    return MappingProxyType({**declared, **_EVERY_SIGNAL, **_CONTEXT})


def _environment_for(kind: str, text: str) -> cel.Env:
    """One shared with other kinds, where the text names nothing of theirs.

    Whatever else follows the word `signal` is left to an environment that has this kind's fields alone, so
    that a field of another kind is as unknown as one of none.
    """
    named = _NAME.findall(text)
    is_its_own = len(named) == len(_SIGNAL.findall(text)) and variables_of(kind).keys() >= {*named}
    return _shared()[kind] if is_its_own else _environment(kind)


@cache
def _shared() -> Mapping[str, cel.Env]:
    return shared_environments({kind: _types_of(kind) for kind in KINDS})


@lru_cache(maxsize=1)
def _environment(kind: str) -> cel.Env:
    return cel.NewEnv(variables=_types_of(kind))


def _types_of(kind: str) -> dict[str, cel.Type]:
    return {name: _TYPES[type_] for name, type_ in variables_of(kind).items()}


def _names(kind: str, text: str) -> tuple[str, ...]:
    """The variables in the text. One inside a quoted text is bound in vain, which does no harm."""
    declared = variables_of(kind)
    return tuple(sorted({name for name in _NAME.findall(text) if name in declared}))


def _mistakes(message: str, text: str) -> tuple[Mistake, ...]:
    """The library's message as values; the whole of it where it has another form than we know."""
    if (deep := _TOO_DEEP.search(message)) is not None:
        nested = f"an expression nested more than {deep[1]} deep"
        return (Mistake(offset=0, message=nested, expected="fewer parentheses, +, - or ?: in each other"),)
    found = tuple(
        Mistake(
            offset=_start(text, _offset(text, int(line), int(column)), words), message=_in_our_words(words)
        )
        for line, column, words in _MISTAKE.findall(message)
    )
    return found or (Mistake(offset=0, message=" ".join(message.split())),)


def _offset(text: str, line: int, column: int) -> int:
    """Characters before a position that counts lines and columns from 1."""
    lines = text.splitlines(keepends=True)
    return min(sum(len(each) for each in lines[: line - 1]) + column - 1, len(text))


def _start(text: str, offset: int, words: str) -> int:
    """Where a name that is not declared begins; the library points at its last dot."""
    undeclared = UNDECLARED.search(words)
    start = offset - max(undeclared[1].rfind("."), 0) if undeclared else offset
    return start if undeclared and text.startswith(undeclared[1], start) else offset


def _in_our_words(words: str) -> str:
    said = words.removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "").strip()
    return said.removeprefix("found ")
