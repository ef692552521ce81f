"""Parts of a host that come and go, named under the node. No monitor itself."""

import math
from collections.abc import Iterable

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.monitors.host_known import HostKnown


def part(family: str, name: str) -> Subject:
    """The part `name` of a family, such as `disk:nvme0n1`."""
    return Subject(scope=Scope.NODE, name=f"{family}:{name}")


def concerned(family: str, known: HostKnown) -> frozenset[str]:
    """The names of a family's parts that have an open condition."""
    prefix = f"{family}:"
    return frozenset(
        subject.name.removeprefix(prefix)
        for subject in known.concerned
        if subject.scope is Scope.NODE and subject.name.startswith(prefix)
    )


def hundredths(share: float | None) -> float | None:
    """A share in whole hundredths, rounded down.

    What is told moves only with something that a person would call a change: each change of a reading is
    kept and sent, and a host writes to its disks all the time.
    """
    return None if share is None else math.floor(share * 100) / 100


def said(
    kind: str, subject: Subject, known: HostKnown, fields: dict[str, FieldValue], sources: Iterable[str]
) -> Signal:
    """A reading of one part."""
    return Signal(kind=kind, subject=subject, at=known.now, fields=fields, sources=tuple(sources))
