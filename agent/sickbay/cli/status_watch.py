"""`sickbay status --watch`: the report, drawn anew every other second until ^C."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sickbay.cli.output import painted
from sickbay.core.host_views import Health, HostView
from sickbay.host.clock import SystemClock
from sickbay.rpc.node_client import DEFAULT_SOCKET, NodeClient
from sickbay.rpc.questions import Refused, Unreachable

EVERY = 2.0
"""Seconds from one look to the next."""


def watch_host(socket: Path | None, lines: Callable[[HostView], list[str]]) -> Health:
    """Show the host until ^C; how it was at the last look. A host whose agent is silent is unknown."""
    seen = [Health.UNKNOWN]
    with suppress(KeyboardInterrupt):
        asyncio.run(_follow(socket or DEFAULT_SOCKET, lines, seen))
    return seen[-1]


async def _follow(socket: Path, lines: Callable[[HostView], list[str]], seen: list[Health]) -> None:
    clock = SystemClock()
    with NodeClient(socket) as client, Live(console=Console(), screen=True, auto_refresh=False) as live:
        while True:
            health, shown = await asyncio.to_thread(_look, client, lines)
            seen[:] = [health]
            live.update(Text.from_ansi("\n".join(shown)), refresh=True)
            await clock.sleep(EVERY)


def _look(client: NodeClient, lines: Callable[[HostView], list[str]]) -> tuple[Health, list[str]]:
    try:
        view = client.health()
    except (Unreachable, Refused) as error:
        return Health.UNKNOWN, [f"{painted(Health.UNKNOWN.value)}: {error}", "", "Asked again every 2 s."]
    return view.health, lines(view)
