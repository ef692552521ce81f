"""What an agent and the coordinator say to each other, there and back."""

from sickbay.core.devices import Inventory
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import ActionReport, Delta, Directive, FullState, Grant, Hello, Verb, Welcome
from sickbay.rpc.convert_devices import core_inventory, wire_inventory
from sickbay.rpc.convert_observations import core_condition, core_signal, wire_condition, wire_signal
from sickbay.rpc.convert_outcomes import core_outcome, wire_outcome
from sickbay.rpc.convert_rules import core_rules_report, wire_rules_report
from sickbay.rpc.convert_values import EnumCodec, integer, seconds, text
from sickbay.v1 import coordinator_pb2 as cpb
from sickbay.v1 import types_pb2 as pb

VERBS = EnumCodec(pb.Verb, Verb, prefix="VERB", safest=Verb.COLLECT_EVIDENCE)


def wire_hello(hello: Hello) -> cpb.Hello:
    """The first word on a stream."""
    return cpb.Hello(
        node=text(hello.node),
        boot_id=text(hello.boot_id),
        version=text(hello.version),
        inventory=wire_inventory(hello.inventory),
        rules_digest=text(hello.rules_digest),
        started_at=hello.started_at,
        pool=text(hello.pool),
        rules=wire_rules_report(hello.rules),
    )


def core_hello(message: cpb.Hello) -> Hello:
    """The first word on a stream."""
    return Hello(
        node=NodeName(message.node),
        boot_id=BootId(message.boot_id),
        version=message.version,
        inventory=core_inventory(message.inventory) if message.HasField("inventory") else Inventory(),
        rules_digest=message.rules_digest,
        started_at=seconds(message.started_at),
        pool=message.pool,
        rules=core_rules_report(message.rules),
    )


def wire_full_state(state: FullState) -> cpb.FullState:
    """Everything that holds on a node."""
    return cpb.FullState(
        conditions=[wire_condition(condition) for condition in state.conditions],
        inventory=wire_inventory(state.inventory),
        readings=[wire_signal(signal) for signal in state.readings],
        at=state.at,
    )


def core_full_state(message: cpb.FullState) -> FullState:
    """Everything that holds on a node."""
    return FullState(
        conditions=tuple(core_condition(condition) for condition in message.conditions),
        inventory=core_inventory(message.inventory) if message.HasField("inventory") else Inventory(),
        readings=tuple(core_signal(signal) for signal in message.readings),
        at=seconds(message.at),
    )


def wire_delta(delta: Delta) -> cpb.Delta:
    """What changed."""
    return cpb.Delta(
        conditions=[wire_condition(condition) for condition in delta.conditions],
        inventory=None if delta.inventory is None else wire_inventory(delta.inventory),
        readings=[wire_signal(signal) for signal in delta.readings],
        at=delta.at,
    )


def core_delta(message: cpb.Delta) -> Delta:
    """What changed."""
    return Delta(
        conditions=tuple(core_condition(condition) for condition in message.conditions),
        inventory=core_inventory(message.inventory) if message.HasField("inventory") else None,
        readings=tuple(core_signal(signal) for signal in message.readings),
        at=seconds(message.at),
    )


def wire_report(report: ActionReport) -> cpb.ActionReport:
    """What came of a directive."""
    return cpb.ActionReport(
        action_id=text(report.action_id), outcome=wire_outcome(report.outcome), at=report.at
    )


def core_report(message: cpb.ActionReport) -> ActionReport:
    """What came of a directive."""
    return ActionReport(
        action_id=ActionId(message.action_id),
        outcome=core_outcome(message.outcome),
        at=seconds(message.at),
    )


def wire_welcome(welcome: Welcome) -> cpb.Welcome:
    """The coordinator's first word."""
    return cpb.Welcome(
        term=integer(welcome.term),
        heartbeat_interval=welcome.heartbeat_interval,
        coordinator=text(welcome.coordinator),
    )


def core_welcome(message: cpb.Welcome) -> Welcome:
    """The coordinator's first word. An interval that is not finite reads as 0."""
    return Welcome(
        term=message.term,
        heartbeat_interval=seconds(message.heartbeat_interval),
        coordinator=message.coordinator,
    )


def wire_grant(grant: Grant) -> cpb.Grant:
    """Leave to act once."""
    return cpb.Grant(
        action_id=text(grant.action_id),
        node=text(grant.node),
        boot_id=text(grant.boot_id),
        term=integer(grant.term),
        expires_at=grant.expires_at,
    )


def core_grant(message: cpb.Grant) -> Grant:
    """Leave to act once. One without a proper end has ended, and one that was left out names nobody."""
    return Grant(
        action_id=ActionId(message.action_id),
        node=NodeName(message.node),
        boot_id=BootId(message.boot_id),
        term=message.term,
        expires_at=seconds(message.expires_at),
    )


def wire_directive(directive: Directive) -> cpb.Directive:
    """What to do."""
    return cpb.Directive(
        verb=VERBS.wire(directive.verb),
        grant=wire_grant(directive.grant),
        target=text(directive.target),
    )


def core_directive(message: cpb.Directive) -> Directive | None:
    """What to do; None for a verb that this version does not know, for which there is no safe stand-in."""
    if not VERBS.knows(message.verb):
        return None
    return Directive(
        verb=VERBS.core(message.verb),
        grant=core_grant(message.grant),
        target=message.target,
    )
