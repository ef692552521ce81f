"""A worker's messages are believed only in the form that they were declared in."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.framing import BrokenFrameError
from sickbay.host.nvml.messages import Deaf, Failed, Happened, Started, Swept, SweptGpu, decode

EACH = (
    Started(driver="570.86.15", nvml="12.570", count=8),
    Failed(call="nvmlInitWithFlags", code=9),
    Swept(
        id=3,
        count=None,
        gpus=[
            SweptGpu(target="#0", pci=None, code=15, values={"nvlink_states": [1, None]}, codes={"uuid": 15})
        ],
        calls={"nvmlDeviceGetUUID": (1, 2, 3)},
    ),
    Happened(pci=None, type=8, data=79, gpu_instance=1, compute_instance=2, at_ns=5),
    Deaf(code=15),
)


@pytest.mark.parametrize("message", EACH, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_way(message: Swept):
    assert decode(msgspec.json.encode(message)) == message


@given(st.binary())
def test_any_other_bytes_are_refused_and_nothing_else_is_raised(body: bytes):
    with pytest.raises(BrokenFrameError, match="no message of a worker"):
        decode(body)


def test_a_reading_of_a_type_that_nobody_declared_is_refused():
    body = b'{"kind":"sweep","id":1,"count":1,"calls":{},"gpus":[{"target":"#0","pci":null,"code":0,'
    with pytest.raises(BrokenFrameError, match="values"):
        decode(body + b'"values":{"uuid":{"a":1}},"codes":{}}]}')
