"""The asking end of `sickbay.rpc.quick_view`: imports no gRPC, no protobuf and no asyncio."""

import socket as sockets
from pathlib import Path

from sickbay.core.host_views import HostView
from sickbay.rpc.questions import Unreachable

DEFAULT_SOCKET = Path("/run/sickbay/agent.sock")
"""The agent's own socket."""

_CHUNK = 1 << 18


def beside(api: Path) -> Path:
    """Where the quick view is, beside the agent's own socket: `agent.sock` and `agent.view`."""
    return api.with_suffix(".view")


def quick_look(api: Path, *, timeout: float) -> HostView | None:
    """The host now, as its agent shows it; None where it has to be asked otherwise. `timeout` in seconds.

    Raises:
        Unreachable: an agent is there, and did not answer in time.
    """
    body = _read(api, timeout)
    if not body:
        return None
    # Loaded only when there is something to decode.
    from sickbay.host.spool_records import UnreadableRecordError, decoded  # noqa: PLC0415 - as above

    try:
        return decoded(body, HostView)
    except UnreadableRecordError:
        return None  # An agent of another version: the contract between versions is gRPC's.


def _read(api: Path, timeout: float) -> bytes:
    """All that is written until the other end closes; nothing where nobody listens."""
    pieces: list[bytes] = []
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(str(beside(api)))
            while piece := connection.recv(_CHUNK):
                pieces.append(piece)
        except TimeoutError as error:
            raise Unreachable(f"the agent at {api} does not answer within {timeout:g} s") from error
        except OSError:
            return b""
    return b"".join(pieces)
