"""What operators ask of the coordinator, over FleetOperations."""

import grpc

from sickbay.rpc.ports import FleetOperations


class FleetService:
    """`FleetService` of the contract over the coordinator's own operations."""

    def __init__(self, operations: FleetOperations) -> None:
        """NotFound and Refused reach the caller as such; anything else as an internal error with an id."""
        raise NotImplementedError

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        raise NotImplementedError
