"""The driver's events."""

from dataclasses import replace

from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.signals import is_declared
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.monitors.nvml_events import signal_of, xid_of

EVENT = NvmlEvent(
    pci="0000:1b:00",
    type="xid",
    data=48,
    at=Instant(mono=5.0, wall=1005.0),
    sequence=5_000_000_000,
    gpu_uuid="GPU-1b",
)


def test_an_xid_is_handed_on_as_one():
    xid = xid_of(EVENT)
    assert xid is not None
    assert (xid.code, xid.pci, xid.gpu_uuid, xid.sequence) == (48, "0000:1b:00", "GPU-1b", 5_000_000_000)


def test_any_other_event_is_history_with_an_identity_of_its_boot():
    event = replace(EVENT, type="gpu_unavailable", data=0)
    assert xid_of(event) is None
    signal = signal_of(event, BootId("b1"))
    assert is_declared(signal)
    assert str(signal.identity) == "b1/nvml-event/5000000000"
    assert signal.fields == {"type": "gpu_unavailable", "data": 0}
