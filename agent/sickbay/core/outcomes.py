"""What came of an effect. "Don't know" is an outcome of its own and never stands for success."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """DONE: seen to be so. RETRY: not yet, ask again. FAILED: refused or impossible. UNKNOWN: cannot tell."""

    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one attempt, with the words that a person needs to understand it."""

    verdict: Verdict
    detail: str = ""

    @classmethod
    def done(cls, detail: str = "") -> "Outcome":
        """The effect was seen."""
        return cls(verdict=Verdict.DONE, detail=detail)

    @classmethod
    def retry(cls, detail: str) -> "Outcome":
        """Not finished; the same action id may be tried again."""
        return cls(verdict=Verdict.RETRY, detail=detail)

    @classmethod
    def failed(cls, detail: str) -> "Outcome":
        """It did not and will not happen by trying again."""
        return cls(verdict=Verdict.FAILED, detail=detail)

    @classmethod
    def unknown(cls, detail: str) -> "Outcome":
        """It may or may not have happened; only an observation can tell."""
        return cls(verdict=Verdict.UNKNOWN, detail=detail)
