"""A case as a history of its node, so that it meets the rules in the same way as a recorded one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sickbay.core.facts import Facts, GpuFacts
from sickbay.core.history import Began, HistoryEntry, Looked, WasReset
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.platforms import PlatformProfile
from sickbay.core.rule_cases import (
    Boots,
    Case,
    Heard,
    Printed,
    Prints,
    ReadLines,
    Resets,
    Restarts,
    Says,
    Step,
)
from sickbay.core.signals import EVENT_KINDS, EventId, Signal

EPOCH = 1_700_000_000.0
"""Unix time at which every case begins; any would do."""

_SOURCE = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Boot:
    """One boot of a case: when it began, how long it was up then, and what happened in it."""

    id: BootId
    at: float
    uptime: float
    steps: Sequence[Step]

    def instant(self, at: float) -> Instant:
        """A moment of the case on this boot's clock."""
        return Instant(mono=self.uptime + at - self.at, wall=EPOCH + at)

    def ago(self, at: float, ago: float) -> Instant:
        """The same, some seconds earlier, and no earlier than the boot itself."""
        now = self.instant(at)
        return now.later(-min(ago, now.mono))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHistory:
    """The entries of a case, in order; `moment` puts any time of the case on the clock that runs then."""

    entries: tuple[HistoryEntry, ...]
    boots: tuple[_Boot, ...]

    def moment(self, at: float) -> Instant:
        """The instant at `at` seconds of the case."""
        boot = max((boot for boot in self.boots if boot.at <= at), key=lambda boot: boot.at)
        return boot.instant(at)


def history_of(
    case: Case, read_lines: ReadLines, platforms: Mapping[str, PlatformProfile], *, node: str = ""
) -> CaseHistory:
    """What happens in a case, on the node that it names or on another one."""
    name = node or case.node
    boots = tuple(_boots(case))
    told = [_told(boot, case, read_lines) for boot in boots]
    facts = _facts(
        case, name, platforms, [signal for heard in told for _, signals in heard for signal in signals]
    )
    entries = [
        entry
        for boot, heard in zip(boots, told, strict=True)
        for entry in _entries(boot, heard, NodeName(name), facts)
    ]
    return CaseHistory(entries=tuple(entries), boots=boots)


def _boots(case: Case) -> Iterator[_Boot]:
    """The case cut where the node comes up anew."""
    steps = sorted(case.steps, key=lambda step: (step.at, not isinstance(step, Boots)))
    begins = [index for index, step in enumerate(steps) if isinstance(step, Boots)]
    ends = [*begins, len(steps)]
    yield _Boot(id=BootId("boot-1"), at=0.0, uptime=case.uptime, steps=steps[: ends[0]])
    for number, (begin, end) in enumerate(zip(begins, ends[1:], strict=True), start=2):
        yield _Boot(id=BootId(f"boot-{number}"), at=steps[begin].at, uptime=0.0, steps=steps[begin + 1 : end])


def _told(boot: _Boot, case: Case, read_lines: ReadLines) -> list[Heard]:
    """All signals of a boot with when they come, those of one moment together."""
    lines = [
        Printed(text=step.text, at=boot.ago(step.at, step.ago), read=boot.instant(step.at))
        for step in boot.steps
        if isinstance(step, Prints)
    ]
    said = [
        (boot.instant(step.at), (_signal(step, number, boot),))
        for number, step in enumerate(boot.steps, start=1)
        if isinstance(step, Says)
    ]
    return _together([*said, *(read_lines(lines, boot.id, case.driver) if lines else ())])


def _together(heard: Iterable[Heard]) -> list[Heard]:
    moments: dict[Instant, list[Signal]] = {}
    for now, signals in heard:
        moments.setdefault(now, []).extend(signals)
    return [(now, tuple(moments[now])) for now in sorted(moments, key=lambda each: each.mono)]


def _signal(step: Says, number: int, boot: _Boot) -> Signal:
    identity = EventId(boot_id=boot.id, source=_SOURCE, sequence=number)
    return Signal(
        kind=step.kind,
        subject=step.subject,
        at=boot.ago(step.at, step.ago),
        fields=step.fields,
        identity=identity if step.kind in EVENT_KINDS else None,
        sources=(_SOURCE,),
    )


def _facts(
    case: Case, node: str, platforms: Mapping[str, PlatformProfile], signals: Iterable[Signal]
) -> Facts:
    """What rules may choose by: the case's own words, and its platform for every GPU that it names."""
    profile = platforms.get(case.platform)
    pcis = {signal.subject.pci for signal in signals} - {""} if profile is not None else set()
    gpus = {
        pci: GpuFacts(profile=profile, model=profile.name, slot=slot)
        for slot, pci in enumerate(sorted(pcis))
        if profile is not None
    }
    return Facts(node=node, pool=case.pool, driver=case.driver, gpus=MappingProxyType(gpus))


def _entries(boot: _Boot, heard: Iterable[Heard], node: NodeName, facts: Facts) -> list[HistoryEntry]:
    """The entries of a boot; what is seen at the moment of a reset or a restart is seen after it."""
    begins: list[HistoryEntry] = [Began(node=node, now=boot.instant(boot.at), boot_id=boot.id, facts=facts)]
    for step in boot.steps:
        now = boot.instant(step.at)
        if isinstance(step, Restarts):
            begins.append(Began(node=node, now=now, boot_id=boot.id, facts=facts))
        elif isinstance(step, Resets):
            begins.append(WasReset(node=node, now=now, pci=step.pci))
    looks = [Looked(node=node, now=now, signals=signals) for now, signals in heard]
    return sorted([*begins, *looks], key=lambda entry: entry.now.mono)
