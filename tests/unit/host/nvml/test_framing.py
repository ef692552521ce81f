"""Messages between the agent and its worker."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.framing import LENGTH, MAX_BYTES, BrokenFrameError, body_length, encode, receive

PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
VALUES = PLAIN | st.lists(PLAIN, max_size=4) | st.dictionaries(st.text(max_size=5), PLAIN, max_size=4)
MESSAGES = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


@given(st.lists(MESSAGES, max_size=4))
def test_what_is_sent_is_received_message_by_message(messages: list[dict[str, object]]):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for message in messages:
            ours.sendall(encode(message))
        ours.shutdown(socket.SHUT_WR)
        assert [receive(theirs) for _ in messages] == messages
        assert receive(theirs) is None


@given(MESSAGES, st.data())
def test_a_message_cut_short_is_no_message(message: dict[str, object], data: st.DataObject):
    whole = encode(message)
    cut = data.draw(st.integers(0, len(whole) - 1))
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(whole[:cut])
        ours.close()
        assert receive(theirs) is None


def test_an_announced_length_beyond_all_reason_is_refused():
    with pytest.raises(BrokenFrameError, match="is announced"):
        body_length(LENGTH.pack(MAX_BYTES + 1))


def test_a_message_beyond_all_reason_is_not_sent():
    with pytest.raises(BrokenFrameError, match="at most"):
        encode({"text": "x" * MAX_BYTES})


def test_what_is_no_object_is_no_message():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        body = json.dumps([1]).encode()
        ours.sendall(LENGTH.pack(len(body)) + body)
        with pytest.raises(BrokenFrameError, match="expected a JSON object, got list"):
            receive(theirs)


def test_a_number_that_is_none_is_not_sent():
    with pytest.raises(ValueError, match="JSON"):
        encode({"value": float("nan")})
