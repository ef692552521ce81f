"""One host as its own agent sees it, there and back."""

from sickbay.core.devices import Inventory
from sickbay.core.host_views import Health, HostView, MonitorState
from sickbay.core.ids import BootId, NodeName
from sickbay.rpc.convert_devices import core_inventory, wire_inventory
from sickbay.rpc.convert_observations import core_condition, core_signal, wire_condition, wire_signal
from sickbay.rpc.convert_values import EnumCodec, integer, seconds, text
from sickbay.v1 import node_pb2 as pb

HEALTHS = EnumCodec(pb.Health, Health, prefix="HEALTH", safest=Health.UNKNOWN)


def wire_monitor(monitor: MonitorState) -> pb.MonitorState:
    """Whether one monitor can see."""
    return pb.MonitorState(
        name=text(monitor.name),
        healthy=monitor.healthy,
        detail=text(monitor.detail),
        last_success=monitor.last_success,
    )


def core_monitor(message: pb.MonitorState) -> MonitorState:
    """Whether one monitor can see."""
    return MonitorState(
        name=message.name,
        healthy=message.healthy,
        detail=message.detail,
        last_success=seconds(message.last_success),
    )


def wire_host(view: HostView) -> pb.GetHealthResponse:
    """The whole view."""
    return pb.GetHealthResponse(
        node=text(view.node),
        boot_id=text(view.boot_id),
        version=text(view.version),
        health=HEALTHS.wire(view.health),
        summary=text(view.summary),
        inventory=wire_inventory(view.inventory),
        conditions=[wire_condition(condition) for condition in view.conditions],
        readings=[wire_signal(signal) for signal in view.readings],
        monitors=[wire_monitor(monitor) for monitor in view.monitors],
        coordinator_connected=view.coordinator_connected,
        coordinator=text(view.coordinator),
        at=view.at,
        spooled_events=integer(view.spooled_events),
        rules_digest=text(view.rules_digest),
    )


def core_host(message: pb.GetHealthResponse) -> HostView:
    """The whole view. Health that was left out is UNKNOWN, never healthy."""
    return HostView(
        node=NodeName(message.node),
        boot_id=BootId(message.boot_id),
        version=message.version,
        health=HEALTHS.core(message.health),
        summary=message.summary,
        inventory=core_inventory(message.inventory) if message.HasField("inventory") else Inventory(),
        conditions=tuple(core_condition(condition) for condition in message.conditions),
        readings=tuple(core_signal(signal) for signal in message.readings),
        monitors=tuple(core_monitor(monitor) for monitor in message.monitors),
        coordinator=message.coordinator,
        coordinator_connected=message.coordinator_connected,
        at=seconds(message.at),
        spooled_events=message.spooled_events,
        rules_digest=message.rules_digest,
    )
