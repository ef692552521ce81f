"""Messages between the agent and the worker: a length in four bytes, then JSON.

JSON because the agent decodes it into declared types, so that a worker whose memory a driver library has
overwritten is noticed by its first malformed message instead of being believed.
"""

from __future__ import annotations

import json
import struct

LENGTH = struct.Struct("!I")
MAX_BYTES = 1 << 22
"""Far above a sweep of 16 GPUs (about 70 KB); a longer claim is a broken peer."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


class BrokenFrameError(ValueError):
    """The peer's bytes are no message."""


def encode(message: Mapping[str, object]) -> bytes:
    """One message as bytes, its length first."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MAX_BYTES:
        raise BrokenFrameError(f"a message of {len(body)} bytes; at most {MAX_BYTES} are sent")
    return LENGTH.pack(len(body)) + body


def body_length(head: bytes) -> int:
    """The length that four bytes announce; BrokenFrameError when it cannot be one."""
    (length,) = LENGTH.unpack(head)
    if length > MAX_BYTES:
        raise BrokenFrameError(f"a message of {length} bytes is announced; at most {MAX_BYTES} are sent")
    return int(length)


def receive(peer: socket.socket) -> dict[str, object] | None:
    """The next message, blocking; None when the peer has gone. BrokenFrameError when it is none."""
    head = _exactly(peer, LENGTH.size)
    if head is None:
        return None
    body = _exactly(peer, body_length(head))
    if body is None:
        return None
    message = json.loads(body)
    if not isinstance(message, dict):
        raise BrokenFrameError(f"expected a JSON object, got {type(message).__name__}")
    return message


def _exactly(peer: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = peer.recv(count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
