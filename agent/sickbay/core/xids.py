"""The Xid catalogue, typed: what each code is, and what NVIDIA asks for when it is seen.

The rows come from rules/catalogue/ through the generated `xid_table`; every word in them is a member of an
enum in `xid_words`, so that a word nobody has thought about fails the generator and never reaches a node.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sickbay.core.recovery_actions import RecoveryAction
from sickbay.core.xid_table import ROWS, Row
from sickbay.core.xid_words import ImmediateAction, InvestigatoryAction, XidClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Xid:
    """One code of the catalogue.

    `recovery_since` is the driver branch from which Xid 154 follows this one (565 for R565, 0 for every
    driver that has the code), and None when it never does: then nobody need wait for it.
    """

    code: int
    name: str
    klass: XidClass
    action: ImmediateAction
    investigate: InvestigatoryAction
    architectures: tuple[str, ...] = ()
    recovery_since: int | None = None
    because: str = ""
    notes: str = ""
    source: str = ""

    @property
    def is_listed(self) -> bool:
        """Whether any source of NVIDIA names the code."""
        return bool(self.source)


def _entry(row: Row) -> Xid:
    code, name, klass, action, investigate, architectures, since, because, notes, source = row
    return Xid(
        code=code,
        name=name,
        klass=XidClass(klass),
        action=ImmediateAction(action),
        investigate=InvestigatoryAction(investigate),
        architectures=tuple(architectures.split(",")) if architectures else (),
        recovery_since=since,
        because=because,
        notes=notes,
        source=source,
    )


XIDS: Mapping[int, Xid] = MappingProxyType({row[0]: _entry(row) for row in ROWS})
"""Every code that a source of NVIDIA names, by code."""


def lookup(code: int) -> Xid:
    """What is known of a code. A code that nobody lists is a normal input: an entry of class UNKNOWN."""
    return XIDS.get(code) or Xid(
        code=code,
        name=f"Xid {code}",
        klass=XidClass.UNKNOWN,
        action=ImmediateAction.UNKNOWN,
        investigate=InvestigatoryAction.UNKNOWN,
        because="no source of NVIDIA that we know lists this code",
    )


_ASKED_BY_DRIVER = MappingProxyType(
    {
        RecoveryAction.NONE: ImmediateAction.NONE,
        RecoveryAction.GPU_RESET: ImmediateAction.RESET_GPU,
        RecoveryAction.BUS_RESET: ImmediateAction.RESET_GPU,
        RecoveryAction.NODE_REBOOT: ImmediateAction.RESTART_BM,
        RecoveryAction.SYSTEM_REBOOT: ImmediateAction.RESTART_BM,
        RecoveryAction.DRAIN_P2P: ImmediateAction.DRAIN_P2P,
        RecoveryAction.DRAIN_AND_RESET: ImmediateAction.DRAIN_AND_RESET,
        RecoveryAction.RECOVER_IMEX_DOMAIN: ImmediateAction.RECOVER_IMEX_DOMAIN,
        RecoveryAction.UNKNOWN: ImmediateAction.UNKNOWN,
    },
)


def asked_by_driver(action: RecoveryAction) -> ImmediateAction:
    """A driver's recovery action in the catalogue's own words."""
    return _ASKED_BY_DRIVER[action]
