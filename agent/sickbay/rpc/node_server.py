"""The agent's own API on a unix socket, over NodeOperations."""

from pathlib import Path

import grpc

from sickbay.rpc.ports import NodeOperations
from sickbay.rpc.serving import RpcServer


class NodeService:
    """`NodeService` of the contract over the agent's own operations."""

    def __init__(self, operations: NodeOperations) -> None:
        """NotFound and Refused reach the caller as such; anything else as an internal error with an id."""
        raise NotImplementedError

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        raise NotImplementedError


def node_server(operations: NodeOperations, socket: Path) -> RpcServer:
    """A server on a unix socket of mode 0660; `start` raises BadAddress when a live agent answers there."""
    raise NotImplementedError
