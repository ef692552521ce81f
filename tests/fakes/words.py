"""Small, whole values for tests that care about one field of them."""

from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import Scope, Subject
from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.instants import Instant
from sickbay.core.messages import Directive, Event, Grant, Verb
from sickbay.core.remediation import Remediation, Step
from sickbay.core.remedies import Remedy
from sickbay.core.signals import EventId, Signal

GPU = Subject(scope=Scope.GPU, gpu_uuid="GPU-1", pci="0000:1b:00")


def a_signal(*, raw: str = "") -> Signal:
    return Signal(
        kind="xid",
        subject=GPU,
        at=Instant(mono=1.0, wall=2.0),
        fields={"code": 79},
        identity=EventId(boot_id=BootId("boot-1"), source="kmsg", sequence=7),
        raw=raw,
    )


def a_condition(*, type_: str = "GpuLost", status: Status = Status.TRUE, boot: str = "boot-1") -> Condition:
    return Condition(
        type=type_,
        subject=GPU,
        status=status,
        severity=Severity.FATAL,
        rule=RuleId("gpu-lost"),
        reason="XID_79",
        message="off the bus",
        since=1.0,
        observed_at=2.0,
        boot_id=BootId(boot),
    )


def an_event(sequence: int, what: Signal | Condition, *, boot: str = "boot-1", ident: str = "") -> Event:
    return Event(
        sequence=sequence,
        id=ident or f"event-{sequence}",
        at=3.0,
        boot_id=BootId(boot),
        what=what,
    )


def a_directive(action: str = "a1", *, verb: Verb = Verb.SWEEP) -> Directive:
    grant = Grant(
        action_id=ActionId(action),
        node=NodeName("n1"),
        boot_id=BootId("boot-1"),
        term=3,
        expires_at=1e10,
    )
    return Directive(verb=verb, grant=grant)


def an_incident() -> Incident:
    return Incident(
        id=IncidentId("inc-0123456789ab"),
        node=NodeName("n1"),
        boot_id=BootId("boot-1"),
        family="gpu",
        subject=GPU,
        severity=Severity.FATAL,
        reason="XID_79",
        rule=RuleId("gpu-lost"),
        message="off the bus",
        conditions=(a_condition().key,),
        opened_at=3.0,
        updated_at=4.0,
    )


def a_remediation() -> Remediation:
    return Remediation(
        id=RemediationId("rem-0123456789ab"),
        node=NodeName("n1"),
        incidents=(an_incident().id,),
        remedy=Remedy(id="reboot"),
        step=Step.DRAINING,
        boot_before=BootId("boot-1"),
        opened_at=3.0,
        updated_at=4.0,
        step_since=4.0,
    )
