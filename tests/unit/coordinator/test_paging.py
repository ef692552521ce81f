"""People are called once about every storm, and again for as long as nobody could be."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock

from sickbay.coordinator.paging import Pager, PagingSettings
from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.core.orders import Order, OrderKind
from sickbay.host.commands import SystemCommands

STORM = Order(
    id="storm-1", kind=OrderKind.STORM, area="rack:r1", by="us", reason="nvlink on 6", begins_at=1.0
)


def pager(tmp_path: Path, clock: FakeClock, settings: PagingSettings) -> Pager:
    orders = StandingOrders(open_sqlite(tmp_path / "sickbay.db"), orders=[STORM])
    return Pager(orders=orders, commands=SystemCommands(), clock=clock, coordinator="c1", settings=settings)


async def test_a_program_hears_what_happened_where_and_what_to_do(tmp_path: Path):
    page = tmp_path / "page"
    settings = PagingSettings(command=("/bin/sh", "-c", f"cat >> {page}; echo >> {page}"))
    made = pager(tmp_path, FakeClock(), settings)
    await made.call()
    await made.call()
    (line,) = page.read_text().splitlines()
    told = json.loads(line)
    assert (told["area"], told["why"], told["coordinator"]) == ("rack:r1", "nvlink on 6", "c1")
    assert told["next"].endswith("sickbay resume rack:r1")


async def test_a_call_that_fails_is_made_again_after_a_while_and_no_sooner(tmp_path: Path):
    calls = tmp_path / "calls"
    clock = FakeClock()
    settings = PagingSettings(command=("/bin/sh", "-c", f"echo x >> {calls}; exit 1"))
    made = pager(tmp_path, clock, settings)
    await made.call()
    await made.call()
    assert calls.read_text() == "x\n"
    clock.advance(31.0)
    await made.call()
    assert calls.read_text() == "x\nx\n"
    assert not made.orders.in_force(OrderKind.STORM, 2.0)[0].told


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[bytes]]]:
    """(address, bodies that were posted to it)"""
    bodies: list[bytes] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", bodies
    server.shutdown()
    server.server_close()


async def test_a_webhook_is_posted_the_same(tmp_path: Path, webhook: tuple[str, list[bytes]]):
    address, bodies = webhook
    made = pager(tmp_path, FakeClock(), PagingSettings(webhook=address))
    await made.call()
    assert json.loads(bodies[0])["id"] == "storm-1"
    assert made.orders.in_force(OrderKind.STORM, 2.0)[0].told


async def test_a_webhook_that_nobody_answers_is_trouble_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    made = pager(tmp_path, FakeClock(), PagingSettings(webhook="http://127.0.0.1:1/", deadline=1.0))
    await asyncio.wait_for(made.call(), 10.0)
    assert "nobody could be called about storm-1" in caplog.text
