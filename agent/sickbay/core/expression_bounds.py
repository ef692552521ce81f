"""What an expression may not hold, because it could run long or take much memory.

A signal's fields are scalars, so no rule has anything to loop over; without loops an expression costs at most
in proportion to its text. Regular expressions are RE2's, which run in linear time, but a counted repetition
is unrolled when it is compiled. Sources: CEL language definition, "Macros"; RE2, "Syntax".
"""

import re
from dataclasses import dataclass

MOST_REPEATS = 100
"""The largest count in a regular expression's `{n}`, and of all of its counts multiplied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong in an expression, `offset` characters into its text."""

    offset: int
    message: str


_RAW = r"""(?:[rR][bB]?|[bB][rR])(?:(?P<raw>"{3}|'{3}).*?(?P=raw)|(?P<raw1>["'])[^\n]*?(?P=raw1))"""
_COOKED = (
    r"""[bB]?(?:(?P<long>"{3}|'{3})(?:[^\\]|\\.)*?(?P=long)|(?P<quote>["'])(?:[^\\\n]|\\.)*?(?P=quote))"""
)
_TEXT = f"(?:{_RAW}|{_COOKED})"
_LOOPS = "all|exists|exists_one|existsOne|map|filter|transformList|transformMap|transformMapEntry"
_PART = re.compile(
    rf"{_TEXT}|(?P<comment>//[^\n]*)|(?P<loop>\.\s*(?:{_LOOPS})\s*\(|\bcel\s*\.\s*\w+\s*\()"
    r"|(?P<match>\bmatches\s*\()",
    re.DOTALL,
)
_SUSPECT = re.compile(rf"\.\s*(?:{_LOOPS})\s*\(|\bcel\s*\.|matches")
"""What a text must hold for anything in it to be refused; most hold none, and need no closer look."""

_WRITTEN_OUT = re.compile(rf"\s*(?:[\w.]+\s*,\s*)?(?P<pattern>{_TEXT})\s*\)", re.DOTALL)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def unbounded_in(text: str) -> Mistake | None:
    """The first thing in an expression that is not bounded by its length; None when there is nothing."""
    if _SUSPECT.search(text) is None:
        return None
    for part in _PART.finditer(text):
        if part.lastgroup == "loop":
            name = part[0].rstrip("(").strip()
            return Mistake(offset=part.start(), message=f"{name}(...): a rule has nothing to loop over")
        if part.lastgroup == "match" and (mistake := _unbounded_pattern(text, part)) is not None:
            return mistake
    return None


def _unbounded_pattern(text: str, call: re.Match[str]) -> Mistake | None:
    """A pattern must stand in the rule: one that is read from a signal could be anything."""
    written = _WRITTEN_OUT.match(text, call.end())
    if written is None:
        return Mistake(offset=call.start(), message="matches(...) with a pattern that is not written out")
    if _repeats(written["pattern"]) > MOST_REPEATS:
        found = f"a regular expression that repeats more than {MOST_REPEATS} times"
        return Mistake(offset=written.start("pattern"), message=found)
    return None


def _repeats(pattern: str) -> int:
    """All counts multiplied: what nesting could unroll to at most."""
    product = 1
    for least, most in _REPEAT.findall(pattern):
        product *= max(int(least), int(most or 0), 1)
    return product
