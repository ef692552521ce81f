"""Where our servers listen, and under which rules.

Plaintext is for loopback and unix sockets. Anything else is refused until certificates come, unless somebody
sets a flag whose name says what it does.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc

DEFAULT_PORT = 7118
"""The coordinator's port. IANA lists 7118 as unassigned, and it lies below Linux's ephemeral range
(32768-60999), so no outgoing connection can be sitting on it when the coordinator starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How the two ends of a connection know each other. Certificates will join this value."""

    insecure_plaintext_off_host: bool = False


LOCAL_ONLY = Security()


class BadAddress(ValueError):
    """An address that we cannot or may not listen on or dial; `str()` says why and what would do."""


class Service(Protocol):
    """One gRPC service that knows how to register itself."""

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        ...


def is_local(address: str) -> bool:
    """Whether nothing sent to `address` leaves this machine."""
    raise NotImplementedError


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
        raise NotImplementedError

    async def start(self) -> tuple[str, ...]:
        """Listen; returns the addresses with their real ports. Raises BadAddress, and nothing listens then."""
        raise NotImplementedError

    async def stop(self, grace: float = 1.0) -> None:
        """Take no more calls, let those under way end for `grace` seconds, then end them."""
        raise NotImplementedError


def _host_of(address: str) -> str:
    return str(ipaddress.ip_address(address))
