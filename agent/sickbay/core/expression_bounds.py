"""What an expression may not hold: what could run long or take much memory, and what would escape its types.

A signal's fields are scalars, so no rule has anything to loop over; without loops an expression costs at most
in proportion to its text. Therefore functions are a short list, and every macro that loops is a function that
is not on it. Regular expressions are RE2's, which run in linear time, but a counted repetition and a class
of Unicode are unrolled when they are compiled, at each evaluation. `dyn`, `type` and literals of maps and
messages would take a rule out of the catalogue's types, so that a typo waits for run time. Sources: CEL
language definition, "Macros" and "Lexis"; RE2, "Syntax".
"""

import re
from dataclasses import dataclass

MOST_REPEATS = 100
"""The largest count in a regular expression's `{n}`, and of all of its counts multiplied."""

MOST_STEPS = 3000
"""The size of all compiled patterns of an expression, in about the instructions that RE2 makes of them."""

FUNCTIONS = ("contains", "double", "endsWith", "int", "matches", "size", "startsWith", "string")
"""All that an expression may call."""

_STEPS_OF_UNICODE = 1000
_STEPS_OF_ANY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong in an expression, `offset` characters into its text. `expected`: what would be right."""

    offset: int
    message: str
    expected: str = ""


_RAW = r"""(?:[rR][bB]?|[bB][rR])(?:(?P<raw>"{3}|'{3}).*?(?P=raw)|(?P<raw1>["'])[^\n]*?(?P=raw1))"""
_COOKED = (
    r"""[bB]?(?:(?P<long>"{3}|'{3})(?:[^\\]|\\.)*?(?P=long)|(?P<quote>["'])(?:[^\\\n]|\\.)*?(?P=quote))"""
)
_TEXT = f"(?:{_RAW}|{_COOKED})"
_HIDDEN = re.compile(rf"(?P<text>{_TEXT})|//[^\n]*", re.DOTALL)
_SUSPECT = re.compile(r"[({`]|\bnull\b")
"""What a text must hold for anything in it to be refused; most hold none, and need no closer look."""

_PART = re.compile(r"(?P<call>\.?\s*\b[A-Za-z_]\w*)\s*\(|(?P<map>[{`])|\b(?P<null>null)\b")
_OPERATORS = frozenset({"in"})
_LOOPS = frozenset(
    {"all", "exists", "exists_one", "existsOne", "map", "filter", "bind"}
    | {"transformList", "transformMap", "transformMapEntry"}
)
"""What CEL's loops are called, so that they are refused by their name for what they are."""

_PATTERN = re.compile(r"\s*(?:[\w.]+\s*,\s*)?(?P<pattern>\"[^)]*)\)")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_ESCAPE = re.compile(r"\\(?:[xX](..)|u(.{4})|U(.{8})|([0-3][0-7]{2})|(.))", re.DOTALL)


def unbounded_in(text: str) -> Mistake | None:
    """The first thing in an expression that no expression may hold; None when there is nothing."""
    if _SUSPECT.search(text) is None:
        return None
    bare, texts = _bare(text)
    for part in _PART.finditer(bare):
        if part.lastgroup != "call":
            return _literal(part)
        name = part["call"].strip(". \t\r\n\f")
        if name not in FUNCTIONS and name not in _OPERATORS:
            return _unknown_call(part, name)
        if name == "matches" and _pattern_of(part, bare, texts) is None:
            return _unwritten(part)
    return _too_large(patterns_in(text))


def patterns_in(text: str) -> list[tuple[int, str]]:
    """Every regular expression that is written out in an expression, as it is written, and where."""
    if "matches" not in text:
        return []
    bare, texts = _bare(text)
    calls = (part for part in _PART.finditer(bare) if (part["call"] or "").endswith("matches"))
    return [found for part in calls if (found := _pattern_of(part, bare, texts)) is not None]


def _bare(text: str) -> tuple[str, dict[int, str]]:
    """The expression without its texts and comments, and the texts by where they stand."""
    texts: dict[int, str] = {}
    return _HIDDEN.sub(lambda found: _masked(found, texts), text), texts


def _pattern_of(call: re.Match[str], bare: str, texts: dict[int, str]) -> tuple[int, str] | None:
    """The one text between the parentheses of a call of matches; None where something else stands there."""
    found = _PATTERN.match(bare, call.end())
    if found is None or found["pattern"].strip().strip('"'):
        return None
    start = found.start("pattern")
    return (start, texts[start]) if start in texts else None


def _masked(found: re.Match[str], texts: dict[int, str]) -> str:
    """As many characters that mean nothing: quotes for a text, blanks for a comment. Lines stay lines."""
    filler = " "
    if found["text"] is not None:
        texts[found.start()] = found["text"]
        filler = '"'
    return "".join("\n" if each == "\n" else filler for each in found[0])


def _literal(part: re.Match[str]) -> Mistake:
    if part["null"]:
        expected = "no null: where a field could not be read, the rule is unknown by itself, and never acts"
        return Mistake(offset=part.start(), message="a comparison with null", expected=expected)
    return Mistake(
        offset=part.start(), message=f"a literal with {part[0]!r}", expected="texts, numbers or [...]"
    )


def _unknown_call(part: re.Match[str], name: str) -> Mistake:
    offset = part.start("call")
    if name == "has":
        expected = (
            "the field itself: where it could not be read, the rule is unknown by itself, and never acts "
            "(MonitorDegraded tells of blindness)"
        )
        return Mistake(offset=offset, message="has(...)", expected=expected)
    if name in _LOOPS:
        return Mistake(offset=offset, message=f".{name}(...): a rule has nothing to loop over")
    expected = f"one of {', '.join(FUNCTIONS)}"
    return Mistake(offset=offset, message=f"the unknown function {name!r}", expected=expected)


def _unwritten(part: re.Match[str]) -> Mistake:
    """A pattern must stand in the rule: one that is read from a signal could be anything."""
    offset = part.end("call") - len("matches")
    return Mistake(offset=offset, message="matches(...) with a pattern that is not written out")


def _too_large(patterns: list[tuple[int, str]]) -> Mistake | None:
    steps = 0
    for offset, written in patterns:
        steps += _steps(written)
        if _repeats(written) > MOST_REPEATS:
            found = f"a regular expression that repeats more than {MOST_REPEATS} times"
        elif steps > MOST_STEPS:
            found = "a regular expression that unfolds to too much (long, repeated, or classes of Unicode)"
        else:
            continue
        return Mistake(offset=offset, message=found, expected="a shorter one, or contains(...)")
    return None


def _steps(written: str) -> int:
    """How large a pattern is when compiled, roughly and from above."""
    pattern = _cooked(written)
    classes = _STEPS_OF_UNICODE * len(re.findall(r"\\[pP]", pattern))
    wide = _STEPS_OF_ANY * len(re.findall(r"\.|\[\^|\\[DSW]", pattern))
    return (len(pattern) + classes + wide) * _repeats(written)


def _repeats(written: str) -> int:
    """All counts multiplied: what nesting could unroll to at most."""
    product = 1
    for least, most in _REPEAT.findall(_cooked(written)):
        product *= max(int(least), int(most or 0), 1)
    return product


def _cooked(written: str) -> str:
    """What a written text says, escapes resolved, so that no brace hides behind its number."""
    if written[: written.find(written[-1])].lower().startswith(("r", "br")):
        return written
    return _ESCAPE.sub(_character, written)


def _character(found: re.Match[str]) -> str:
    hexadecimal = found[1] or found[2] or found[3]
    try:
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        return chr(int(found[4], 8)) if found[4] else str(found[5])
    except (ValueError, OverflowError):
        return found[0]
