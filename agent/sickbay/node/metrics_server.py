"""`/metrics` over HTTP/1.1, from memory: a scrape never waits for a driver, a disk or the coordinator.

Only GET and HEAD of a few paths are answered; a client that dawdles is cut off, and there are never more than
a few at a time, so that nobody on the network can cost the agent its memory.
"""

import asyncio
import contextlib
from collections.abc import Callable

from sickbay.node.exposition import CONTENT_TYPE

_PATIENCE = 5.0
_LINE_LIMIT = 8192
_CLIENTS = 16
_HEADER_LINES = 100


class MetricsServer:
    """Serves what `page` returns at /metrics, and `ok` at /healthz while the loop turns."""

    def __init__(self, host: str, port: int, page: Callable[[], bytes]) -> None:
        """Port 0 takes any free one."""
        self._host = host
        self._port = port
        self._page = page
        self._clients = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; returns `host:port` with the real port. OSError when the address cannot be had."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_LINE_LIMIT)
        host, port, *_ = self._server.sockets[0].getsockname()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients <= _CLIENTS:
                async with asyncio.timeout(_PATIENCE):
                    await self._answer(reader, writer)
        except (TimeoutError, ConnectionError, ValueError):
            # Too slow, gone, or a line beyond the limit: not a client that an answer would help.
            return
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
        for _ in range(_HEADER_LINES):
            if (await reader.readline()).strip() == b"":
                break
        status, kind, body = self._page_for(method, rest.partition(" ")[0].partition("?")[0])
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode("latin-1") + (b"" if method == "HEAD" else body))
        await writer.drain()

    def _page_for(self, method: str, path: str) -> tuple[str, str, bytes]:
        plain = "text/plain; charset=utf-8"
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", plain, b"only GET and HEAD\n"
        if path == "/metrics":
            return "200 OK", CONTENT_TYPE, self._page()
        if path == "/healthz":
            return "200 OK", plain, b"ok\n"
        return "404 Not Found", plain, b"there is /metrics, and /healthz\n"
