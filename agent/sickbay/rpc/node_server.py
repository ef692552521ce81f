"""The agent's own API on a unix socket, over NodeOperations."""

import socket
import stat
from pathlib import Path

import grpc

from sickbay.rpc.boundary import answered
from sickbay.rpc.convert_host import wire_host
from sickbay.rpc.convert_observations import wire_event
from sickbay.rpc.convert_outcomes import wire_outcome
from sickbay.rpc.convert_values import integer, limit, seconds, text
from sickbay.rpc.ports import EventQuery, NodeOperations
from sickbay.rpc.serving import BadAddress, RpcServer
from sickbay.v1 import node_pb2 as pb
from sickbay.v1.node_pb2_grpc import NodeServiceServicer, add_NodeServiceServicer_to_server

_MODE = 0o660
_CONNECT_WITHIN = 1.0


class NodeService(NodeServiceServicer):
    """`NodeService` of the contract over the agent's own operations."""

    def __init__(self, operations: NodeOperations) -> None:
        """NotFound and Refused reach the caller as such; anything else as an internal error with an id."""
        self._operations = operations

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        add_NodeServiceServicer_to_server(self, server)

    @answered
    async def GetHealth(self, _request: pb.GetHealthRequest) -> pb.GetHealthResponse:
        """This host now."""
        return wire_host(await self._operations.health())

    @answered
    async def RunCheck(self, _request: pb.RunCheckRequest) -> pb.GetHealthResponse:
        """Read everything now."""
        return wire_host(await self._operations.check())

    @answered
    async def ListNodeEvents(self, request: pb.ListNodeEventsRequest) -> pb.ListNodeEventsResponse:
        """This host's history."""
        query = EventQuery(since=seconds(request.since), limit=limit(request.limit))
        events = await self._operations.events(query)
        return pb.ListNodeEventsResponse(events=[wire_event(event) for event in events])

    @answered
    async def ExplainNode(self, request: pb.ExplainNodeRequest) -> pb.ExplainNodeResponse:
        """Why it is so, for people and for machines."""
        words, json = await self._operations.explain(request.what)
        return pb.ExplainNodeResponse(text=text(words), json=text(json))

    @answered
    async def ReleaseDriver(self, request: pb.ReleaseDriverRequest) -> pb.ReleaseDriverResponse:
        """Let go of the driver for a while."""
        until = await self._operations.release(seconds(request.ttl_seconds))
        return pb.ReleaseDriverResponse(until=until)

    @answered
    async def ResumeDriver(self, _request: pb.ResumeDriverRequest) -> pb.ResumeDriverResponse:
        """Take the driver again."""
        await self._operations.resume()
        return pb.ResumeDriverResponse()

    @answered
    async def Inject(self, request: pb.InjectRequest) -> pb.InjectResponse:
        """A kernel line as if printed."""
        return pb.InjectResponse(outcome=wire_outcome(await self._operations.inject(request.line)))

    @answered
    async def CollectEvidence(self, request: pb.CollectEvidenceRequest) -> pb.CollectEvidenceResponse:
        """A fresh evidence bundle."""
        path, size = await self._operations.evidence(request.incident)
        return pb.CollectEvidenceResponse(path=text(path), bytes=integer(size))


class NodeServer:
    """The agent's API on its unix socket: mode 0660, so that owner and group may talk to it."""

    def __init__(self, operations: NodeOperations, path: Path) -> None:
        """`path` lies in a directory that belongs to the agent and exists."""
        self._path = path
        self._server = RpcServer([f"unix:{path}"], [NodeService(operations)])

    async def start(self) -> None:
        """Listen. Raises BadAddress when another agent answers there, or a file is in the way."""
        _clear(self._path)
        await self._server.start()
        self._path.chmod(_MODE)

    async def stop(self, grace: float = 1.0) -> None:
        """Take no more calls, let those under way end for `grace` seconds, and leave no socket behind."""
        await self._server.stop(grace)
        self._path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Remove the socket that a dead agent left; anything else in its place stays."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BadAddress(f"cannot listen on {path}: a file that is not a socket is in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_WITHIN)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise BadAddress(f"cannot tell whether an agent answers on {path}: {error.strerror}") from error
    raise BadAddress(f"cannot listen on {path}: another agent answers there; stop it first")
