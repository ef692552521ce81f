"""The metrics server against clients that behave and clients that do not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sickbay.node import metrics_server
from sickbay.node.metrics_server import MetricsServer


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    server = MetricsServer("127.0.0.1", 0, lambda: b"x 1\n")
    host, _, port = (await server.start()).rpartition(":")
    yield host, int(port)
    await server.stop()


async def answer(address: tuple[str, int], request: bytes) -> str:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    return said.decode()


async def test_metrics_are_served_and_nothing_else(address: tuple[str, int]) -> None:
    said = await answer(address, b"GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said.startswith("HTTP/1.1 200 OK\r\n")
    assert "text/plain; version=0.0.4" in said
    assert said.endswith("\r\n\r\nx 1\n")
    assert (await answer(address, b"GET / HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 404")
    assert (await answer(address, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 405")
    assert (await answer(address, b"GET /healthz HTTP/1.1\r\n\r\n")).endswith("ok\n")


async def test_head_has_no_body(address: tuple[str, int]) -> None:
    said = await answer(address, b"HEAD /metrics HTTP/1.1\r\n\r\n")
    assert "Content-Length: 4" in said
    assert said.endswith("\r\n\r\n")


async def test_a_client_that_says_nothing_is_cut_off(
    address: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_server, "_PATIENCE", 0.05)
    assert await answer(address, b"GET /metrics HTTP/1.1\r\nHost:") == ""


async def test_a_line_without_end_is_cut_off(address: tuple[str, int]) -> None:
    assert await answer(address, b"GET /" + b"x" * 100_000) == ""


async def test_more_clients_than_allowed_get_nothing_and_the_next_is_served(address: tuple[str, int]) -> None:
    idle = [await asyncio.open_connection(*address) for _ in range(16)]
    await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection(*address)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    for _, held in (*idle, (reader, writer)):
        held.close()
    async with asyncio.timeout(20):
        while not (await answer(address, b"GET /healthz HTTP/1.1\r\n\r\n")):
            await asyncio.sleep(0.01)
