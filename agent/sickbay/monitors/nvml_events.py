"""The driver's events: an Xid joins what the kernel log says of it, anything else is history."""

from sickbay.core.ids import BootId
from sickbay.core.signals import EventId, Signal
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.monitors.levels import SOURCE
from sickbay.monitors.xid import NvmlXid

_XID = "xid"


def xid_of(event: NvmlEvent) -> NvmlXid | None:
    """The Xid that an event tells of; None when it tells of something else."""
    if event.type != _XID:
        return None
    return NvmlXid(
        code=event.data,
        sequence=event.sequence,
        at=event.at,
        gpu_uuid=event.gpu_uuid,
        pci=event.pci,
        gpu_instance=event.gpu_instance,
        compute_instance=event.compute_instance,
    )


def signal_of(event: NvmlEvent, boot_id: BootId) -> Signal:
    """An event that is no Xid. What it means is polled: a level does not depend on one delivery."""
    return Signal(
        kind="nvml_event",
        subject=event.subject,
        at=event.at,
        fields={"type": event.type, "data": event.data},
        identity=EventId(boot_id=boot_id, source="nvml-event", sequence=event.sequence),
        sources=(SOURCE,),
        synthetic=event.synthetic,
    )
