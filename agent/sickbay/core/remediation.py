"""Remediation: a node's way back to service, as one frozen value.

`sickbay.core.remediation_steps` moves it; this module says what it is and what is due in it.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import DrainMode, Remedy, Rung, RungKind

ISSUE = 120.0
"""Seconds in which a repair that was never begun must be let through by the gates."""

GRACE = 60.0
"""Seconds that a step has at least after the coordinator was away: a look before any verdict on time."""


class Step(Enum):
    """Where a remediation stands."""

    PROPOSED = "proposed"
    CORDONING = "cordoning"
    DRAINING = "draining"
    EVIDENCE = "evidence"
    REPAIRING = "repairing"
    VALIDATING = "validating"
    RETURNING = "returning"
    DONE = "done"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self in _ENDS

    @property
    def before_repair(self) -> bool:
        """Whether the step comes before the repair of its rung."""
        return self in _BEFORE_REPAIR


_ENDS = frozenset({Step.DONE, Step.QUARANTINED, Step.CANCELLED})
_BEFORE_REPAIR = frozenset({Step.PROPOSED, Step.CORDONING, Step.DRAINING, Step.EVIDENCE})


class ActionKind(Enum):
    """What the caller can be asked to do. Those named `await` only look."""

    CORDON = "cordon"
    AWAIT_DRAIN = "await_drain"
    COLLECT_EVIDENCE = "collect_evidence"
    RESTART_SERVICE = "restart_service"
    RESET_GPU = "reset_gpu"
    REBOOT = "reboot"
    POWER_CYCLE = "power_cycle"
    AWAIT_REPAIR = "await_repair"
    VALIDATE = "validate"
    RETURN = "return"

    @property
    def is_destructive(self) -> bool:
        """Whether it takes something from the node that is not given back by undoing it."""
        return self in _DESTRUCTIVE

    @property
    def is_harmful(self) -> bool:
        """Whether the gates are asked before it."""
        return self is ActionKind.CORDON or self.is_destructive


_DESTRUCTIVE = frozenset(
    {ActionKind.RESTART_SERVICE, ActionKind.RESET_GPU, ActionKind.REBOOT, ActionKind.POWER_CYCLE},
)

_REPAIR = MappingProxyType(
    {
        RungKind.RESTART_SERVICE: ActionKind.RESTART_SERVICE,
        RungKind.RESET_GPU: ActionKind.RESET_GPU,
        RungKind.REBOOT: ActionKind.REBOOT,
        RungKind.POWER_CYCLE: ActionKind.POWER_CYCLE,
    },
)

_DUE = MappingProxyType(
    {
        Step.CORDONING: ActionKind.CORDON,
        Step.DRAINING: ActionKind.AWAIT_DRAIN,
        Step.EVIDENCE: ActionKind.COLLECT_EVIDENCE,
        Step.VALIDATING: ActionKind.VALIDATE,
        Step.RETURNING: ActionKind.RETURN,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An action that was journalled. `last` is None from the journal until an outcome came."""

    action_id: ActionId
    kind: ActionKind
    started_at: float
    tries: int = 1
    last: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One line of the remediation's story."""

    step: Step
    at: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One effect to perform. The same `id` means the same effect, however often it is asked for.

    `boot_before` is the boot that a reboot must lead away from. `after` is the repair that a validation has
    to prove, None when the fault went away by itself.
    """

    id: ActionId
    kind: ActionKind
    node: NodeName
    boot_before: BootId
    after: RungKind | None = None
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """The whole state. Times are Unix seconds.

    `boot_before` is the boot on which the repair that comes next is needed. `tried` is the highest rung whose
    repair was begun, -1 for none. `issued` says that the repair of this rung was seen to be accepted.
    `relieved` says that the fault went away once already before any repair.
    """

    id: RemediationId
    node: NodeName
    incidents: tuple[IncidentId, ...]
    remedy: Remedy
    step: Step
    boot_before: BootId
    opened_at: float
    updated_at: float
    step_since: float
    rung: int = 0
    tried: int = -1
    issued: bool = False
    cordoned: bool = False
    relieved: bool = False
    clean_since: float | None = None
    resumed_at: float | None = None
    next_try_at: float = 0.0
    attempt: Attempt | None = None
    history: tuple[StepRecord, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it still has a way to go."""
        return not self.step.is_end

    @property
    def step_deadline(self) -> float:
        """When the present step runs out, in Unix seconds."""
        since_resumed = 0.0 if self.resumed_at is None else self.resumed_at + GRACE
        return max(self.step_since + _allowed(self), since_resumed)

    @property
    def rung_kind(self) -> RungKind:
        """The repair that the ladder has reached; QUARANTINE past its end."""
        return self.present_rung.kind

    @property
    def present_rung(self) -> Rung:
        """The rung that the ladder has reached."""
        ladder = self.remedy.ladder
        return ladder[self.rung] if self.rung < len(ladder) else Rung(kind=RungKind.QUARANTINE)

    @property
    def last_repair(self) -> RungKind | None:
        """The repair that was begun last, if any was."""
        return self.remedy.ladder[self.tried].kind if self.tried >= 0 else None

    @property
    def waits_for_drain(self) -> bool:
        """Whether the repair has to wait for the node's jobs.

        A remedy may say that it disturbs no job; that is believed of a service's restart only.
        """
        return not (self.remedy.drain.mode is DrainMode.NONE and self.rung_kind is RungKind.RESTART_SERVICE)

    @property
    def repair_begun(self) -> bool:
        """Whether the repair of the present rung may have happened."""
        return self.tried >= self.rung


def proposed(
    *,
    node: NodeName,
    incident: IncidentId,
    boot: BootId,
    remedy: Remedy,
    now: float,
) -> Remediation:
    """A new remediation for one incident; nothing happens in it until it is approved."""
    digest = hashlib.sha256(f"{node}|{incident}|{now:.6f}".encode()).hexdigest()
    return Remediation(
        id=RemediationId(f"rem-{digest[:12]}"),
        node=node,
        incidents=(incident,),
        remedy=remedy,
        step=Step.PROPOSED,
        boot_before=boot,
        opened_at=now,
        updated_at=now,
        step_since=now,
        history=(StepRecord(step=Step.PROPOSED, at=now, detail=f"{remedy.id} for {incident}"),),
    )


def due(rem: Remediation, now: float) -> Action | None:
    """The action to perform now, or None when there is none or it is not yet time to ask again."""
    kind = _kind_due(rem)
    if kind is None or now < rem.next_try_at:
        return None
    return Action(
        id=ActionId(f"{rem.id}/{rem.rung}/{kind.value}"),
        kind=kind,
        node=rem.node,
        boot_before=rem.boot_before,
        after=rem.last_repair,
        service=rem.present_rung.service,
    )


def _kind_due(rem: Remediation) -> ActionKind | None:
    if rem.step is not Step.REPAIRING:
        return _DUE.get(rem.step)
    return ActionKind.AWAIT_REPAIR if rem.issued else _REPAIR[rem.rung_kind]


def _allowed(rem: Remediation) -> float:
    """Seconds that the present step may take. A proposal waits for ever: it has done nothing."""
    if rem.step is Step.REPAIRING:
        # A repair that may have happened is looked for as long as one that was accepted.
        return rem.present_rung.deadline if rem.repair_begun else ISSUE
    return {
        Step.CORDONING: rem.remedy.deadlines.cordon,
        Step.DRAINING: rem.remedy.drain.timeout,
        Step.EVIDENCE: rem.remedy.deadlines.evidence,
        Step.VALIDATING: rem.remedy.validation.deadline + rem.remedy.validation.soak,
        Step.RETURNING: rem.remedy.deadlines.returning,
    }.get(rem.step, float("inf"))
