"""What gates say, and what follows from all of them: kept with the incident, shown to whoever asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one gate said, in words for the person who asks why."""

    gate: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All gates' answers at one moment. `allowed` only if every gate let through."""

    allowed: bool
    at: float
    findings: tuple[Finding, ...]

    @property
    def held_by(self) -> tuple[str, ...]:
        """The gates that held, in their order."""
        return tuple(finding.gate for finding in self.findings if not finding.passed)

    @property
    def why_held(self) -> str:
        """What every gate that held had to say, in one line; empty when none did."""
        return "; ".join(f"{f.gate}: {f.why}" for f in self.findings if not f.passed)


def let_through(gate: str, why: str) -> Finding:
    """This gate has nothing against it."""
    return Finding(gate=gate, passed=True, why=why)


def held_back(gate: str, why: str) -> Finding:
    """This gate keeps it from happening."""
    return Finding(gate=gate, passed=False, why=why)
