"""The host's view without gRPC: one connection, one answer, for commands that prompts and prologs wait for.

Importing gRPC takes longer than all else that `sickbay status` does. So the agent listens on a second socket
beside its own, writes the view that `GetHealth` would give at this moment as JSON, and closes. It is asked by
our own commands of the same version and is no part of the contract: whoever cannot read it asks `GetHealth`.
Nothing is kept in a file, so an agent that is dead, or whose loop stands still, answers nothing here either.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from sickbay.host.spool_records import encoded
from sickbay.rpc.ports import NodeOperations
from sickbay.rpc.quick_look import beside

_LOG = logging.getLogger(__name__)

_MODE = 0o660
_SEND_WITHIN = 2.0


class QuickView:
    """The second socket: mode 0660, as the first. Without it commands are slower and know no less."""

    def __init__(self, operations: NodeOperations, api: Path) -> None:
        """`api` is the path of the agent's own socket."""
        self._operations = operations
        self._path = beside(api)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Where that cannot be, it is said once and nothing else is lost."""
        try:
            self._server = await asyncio.start_unix_server(self._answer, str(self._path))
            self._path.chmod(_MODE)
        except OSError as error:
            _LOG.warning("the quick view is not served at %s: %s; commands ask by gRPC", self._path, error)

    async def stop(self) -> None:
        """Listen no more, and leave no socket behind."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who connects and does not read must not be kept for ever.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_SEND_WITHIN):
                writer.write(encoded(await self._operations.health()))
                await writer.drain()
        writer.close()
