"""The coordinator's end of the agents' streams: from bytes to calls of an AgentGateway, one at a time a stream."""

import grpc

from sickbay.rpc.ports import AgentGateway


class AgentService:
    """`CoordinatorService` over a gateway: `RpcServer([address], [AgentService(gateway), FleetService(ops)])`."""

    def __init__(self, gateway: AgentGateway) -> None:
        """Every stream's calls reach `gateway` in order, one at a time."""
        raise NotImplementedError

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        raise NotImplementedError
