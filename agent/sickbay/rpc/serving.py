"""Where our servers listen, where our clients dial, and under which rules.

Plaintext is for loopback and unix sockets. Anything else is refused until certificates come, unless somebody
sets a flag whose name says what it does.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc

DEFAULT_PORT = 7118
"""The coordinator's port. IANA lists 7118 as unassigned, and it lies below Linux's ephemeral range
(32768-60999), so no outgoing connection can be sitting on it when the coordinator starts."""

MESSAGE_LIMIT = 4 * 1024 * 1024
"""Bytes of the largest message that a server takes from anybody."""

_HOST_PORT = re.compile(r"^(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})$")
_LAST_PORT = 65535

# What mattered at 12,500 streams: with the bandwidth-delay probe on, an overload took a gigabyte; with the
# default queue of pending calls, two thirds of a reconnect storm were refused. A second server on the same
# port would take half of the agents in silence, so ports are not shared. Clients may ping as often as the
# agents' links do; the server's own pings end the streams of hosts that vanished.
_SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.so_reuseport", 0),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 2_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How the two ends of a connection know each other. Certificates will join this value."""

    insecure_plaintext_off_host: bool = False


LOCAL_ONLY = Security()


class BadAddress(ValueError):  # noqa: N818 - beside Unreachable and Refused
    """An address that we cannot or may not listen on or dial; `str()` says why and what would do."""


class Service(Protocol):
    """One gRPC service that knows how to register itself."""

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        ...


def is_local(address: str) -> bool:
    """Whether nothing sent to `address` leaves this machine. Raises BadAddress for what is no address."""
    if address.startswith("unix:"):
        return True
    host, _ = host_and_port(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may resolve to anything, and to something else tomorrow.
        return False


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of `host:port` or `[v6]:port`; raises BadAddress for anything else."""
    match = _HOST_PORT.match(address)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise BadAddress(f"{address!r} is not an address; expected host:port, [v6]:port or unix:/path")
    return match["v6"] or match["host"], int(match["port"])


def check_plaintext(address: str, security: Security) -> None:
    """Raises BadAddress when plaintext to or on `address` would leave this machine without leave to."""
    if is_local(address) or security.insecure_plaintext_off_host:
        return
    raise BadAddress(
        f"{address} is not on this machine, and this version speaks plaintext only: "
        "use a loopback address or a unix socket, or set insecure_plaintext_off_host on a network "
        "where everybody may read and forge what agents and coordinator say",
    )


class RpcServer:
    """One grpc.aio server: addresses, services, and the options that this load needs."""

    def __init__(
        self,
        addresses: Sequence[str],
        services: Sequence[Service],
        *,
        security: Security = LOCAL_ONLY,
    ) -> None:
        """Addresses are `host:port`, `[v6]:port` or `unix:/path`; port 0 takes any free one."""
        self._addresses = tuple(addresses)
        self._services = tuple(services)
        self._security = security
        self._server: grpc.aio.Server | None = None

    async def start(self) -> tuple[str, ...]:
        """Listen; returns the addresses with their real ports. After BadAddress nothing listens."""
        for address in self._addresses:
            check_plaintext(address, self._security)
        server = grpc.aio.server(options=_SERVER_OPTIONS)
        try:
            bound = tuple(_bind(server, address) for address in self._addresses)
        except BadAddress:
            # A server that was never started keeps what it bound; this one starts with nothing to serve.
            await server.start()
            await server.stop(None)
            raise
        for service in self._services:
            service.attach(server)
        await server.start()
        self._server = server
        return bound

    async def stop(self, grace: float = 1.0) -> None:
        """Take no more calls, let those under way end for `grace` seconds, then end them."""
        if self._server is not None:
            await self._server.stop(grace)


def _bind(server: grpc.aio.Server, address: str) -> str:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise BadAddress(f"cannot listen on {address}: {_why_not(address) or error}") from error
    return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"


def _why_not(address: str) -> str:
    """The kernel's own reason, which gRPC does not pass on; empty when there is none (any more)."""
    if address.startswith("unix:"):
        return ""
    host, port = host_and_port(address)
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(name)
    except OSError as error:
        return error.strerror or str(error)
    return ""
