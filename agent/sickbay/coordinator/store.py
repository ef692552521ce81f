"""What the coordinator must not forget, and the Protocol under which a database keeps it.

One `Batch` is one transaction: all of it is kept or none. Heartbeats, readings and the conditions of the
moment never come here; a coordinator that restarts is told them anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sickbay.core.approvals import Approval
from sickbay.core.devices import Inventory
from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry as LedgerEntry  # noqa: PLC0414 - part of a batch's vocabulary
from sickbay.core.ledger import LedgerLine, LedgerQuery
from sickbay.core.messages import Event
from sickbay.core.orders import Order
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import ActionKind, Remediation
from sickbay.core.rollout import Rollout
from sickbay.core.rule_bundles import NO_REPORT, RuleBundle, RulesReport
from sickbay.orchestrators.records import CordonRecord
from sickbay.rpc.ports import EventQuery

NO_NODE = NodeName("")
"""In a query: every node."""


class StoreError(Exception):
    """The store could not be read or written; `str()` says what is in the way and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Until `until` (Unix seconds) incidents of this family open snoozed: a person has the node in hand."""

    family: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A remediation that began a repair on the node, for which families of faults, and when (Unix seconds).

    `ended_at` is when the remediation ended, None while it has not.
    """

    remediation: RemediationId
    at: float
    families: tuple[str, ...] = ()
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """What is known of a node beyond the moment.

    `baseline` is the inventory that it showed while nothing was wrong; None: it was never seen well.
    `recovery_action_known` says that its driver has answered for the recovery action at least once, so that
    silence about it is no longer normal. `boots` holds the latest boots, newest last. `quarantine` names the
    remediation that left the node to a person, until a person gives it back. `repairs` are the latest, the
    newest last. `cordoned_at` is when a cordon of ours was last begun. Times are Unix seconds.
    `pool` and `rules` are what its agent said last of its group and of the rules that it runs.
    `seen_at` is when its agent was last known to be there, to within a day; 0 where nobody has noted it.
    """

    node: NodeName
    boot_id: BootId
    version: str
    first_seen: float
    baseline: Inventory | None = None
    recovery_action_known: bool = False
    boots: tuple[BootId, ...] = ()
    snoozes: tuple[Snooze, ...] = ()
    quarantine: RemediationId | None = None
    repairs: tuple[Repair, ...] = ()
    pool: str = ""
    rules: RulesReport = NO_REPORT
    cordoned_at: float | None = None
    seen_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetRecord:
    """A rule set that agents may be handed. `version` rises; `at` is when it was first read."""

    digest: str
    version: int
    at: float
    bundle: RuleBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedBuiltins:
    """The built-in rules that may act, each by the fingerprint of what it was when that was said."""

    fingerprints: Mapping[RuleId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One line of the journal: `outcome` is None where an effect was about to be tried."""

    action_id: ActionId
    remediation: RemediationId
    node: NodeName
    kind: ActionKind
    at: float
    tries: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction. `cordons` are set, `uncordoned` removed; events already known by their id are left.

    `rule_sets` are added, those of `forgotten_sets` removed; `rollout` and `confirmed` replace what was.
    `orders` and `approvals` are set, the forgotten ones removed. A node is forgotten with its incidents,
    remediations and their journal.
    """

    nodes: tuple[NodeRecord, ...] = ()
    events: tuple[Event, ...] = ()
    incidents: tuple[Incident, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    cordons: tuple[CordonRecord, ...] = ()
    uncordoned: tuple[NodeName, ...] = ()
    rule_sets: tuple[RuleSetRecord, ...] = ()
    forgotten_sets: tuple[str, ...] = ()
    rollout: Rollout | None = None
    confirmed: ConfirmedBuiltins | None = None
    orders: tuple[Order, ...] = ()
    approvals: tuple[Approval, ...] = ()
    forgotten_orders: tuple[str, ...] = ()
    forgotten_approvals: tuple[IncidentId, ...] = ()
    forgotten_nodes: tuple[NodeName, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return self == _NOTHING


_NOTHING = Batch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a coordinator begins with: all nodes, all that is open, and the latest of what has ended.

    `remediations` holds every active one and, for each node, its latest.
    """

    nodes: tuple[NodeRecord, ...]
    incidents: tuple[Incident, ...]
    remediations: tuple[Remediation, ...]
    cordons: tuple[CordonRecord, ...]
    rule_sets: tuple[RuleSetRecord, ...] = ()
    rollout: Rollout = Rollout()  # noqa: RUF009 - a frozen value, the same for all
    confirmed: ConfirmedBuiltins | None = None
    orders: tuple[Order, ...] = ()
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much history is kept: nothing older than its age in seconds, and no more than its number.

    What is open is kept whatever its age: open incidents, active remediations, the lines of the ledger that
    speak of an open incident, and events of a node since its oldest open incident. Only the number of events
    counts above that: an agent that floods cannot fill the disk. Of each node its latest remediation stays.
    """

    event_age: float
    max_events: int
    incident_age: float = float("inf")
    max_incidents: int = 2**31
    ledger_age: float = float("inf")
    max_ledger: int = 2**31


class Store(Protocol):
    """A database. Every method raises StoreError, and nothing else, when it cannot do its part."""

    async def commit(self, batch: Batch) -> None:
        """Keep all of it, safe on disk when this returns; batches are applied in the order of the calls."""
        ...

    async def load(self) -> Snapshot:
        """All that is needed to go on after a restart."""
        ...

    async def incidents(self, *, node: NodeName, include_closed: bool, limit: int) -> Sequence[Incident]:
        """Open first, newest first; then the most recently closed. `NO_NODE` means all."""
        ...

    async def incidents_by_prefix(self, prefix: str, limit: int) -> Sequence[Incident]:
        """Those whose id begins with `prefix`."""
        ...

    async def remediation(self, ident: RemediationId) -> Remediation | None:
        """One remediation, active or ended."""
        ...

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """The latest that match, oldest first."""
        ...

    async def attempts(self, ident: RemediationId) -> Sequence[AttemptRecord]:
        """The journal of one remediation, oldest first."""
        ...

    async def ledger(self, query: LedgerQuery) -> Sequence[LedgerLine]:
        """The lines that match, oldest first."""
        ...

    async def remediations(self, *, node: NodeName, limit: int) -> Sequence[Remediation]:
        """Those of a node, ended or not, the latest first."""
        ...

    async def prune(self, retention: Retention, now: float) -> int:
        """Forget what is beyond what is kept, some thousands of each at a time; returns how many rows."""
        ...

    async def size(self) -> int:
        """Bytes that the database takes, without what is free for use inside it where it says so."""
        ...

    async def next_term(self) -> int:
        """One more than the last: every coordinator that begins has a term of its own."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...
