"""sd_notify against a real socket, as systemd reads it."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sickbay.core.instants import Instant
from sickbay.host.systemd import NoServiceManager, Systemd, service_manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    address = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(address)
        listening.settimeout(5)
        yield listening, address


def test_each_word_reaches_systemd_in_its_own_form(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    service = service_manager({"NOTIFY_SOCKET": address})
    service.ready("8 GPUs")
    service.alive("healthy\nwith a line break")
    service.reloading(Instant(mono=1.5, wall=0.0))
    service.stopping("bye")
    assert [listening.recv(4096).decode() for _ in range(4)] == [
        "READY=1\nSTATUS=8 GPUs",
        "WATCHDOG=1\nSTATUS=healthy with a line break",
        "RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=reloading rules",
        "STOPPING=1\nSTATUS=bye",
    ]


def test_the_abstract_socket_that_systemd_uses_in_containers_is_understood() -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind("\0sickbay-test-notify")
        listening.settimeout(5)
        service_manager({"NOTIFY_SOCKET": "@sickbay-test-notify"}).ready("")
        assert listening.recv(4096) == b"READY=1\nSTATUS="


def test_the_watchdog_is_fed_only_by_the_process_that_systemd_means() -> None:
    environ = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
    assert service_manager(environ, pid=7).watchdog_interval == 30.0
    assert service_manager(environ, pid=8).watchdog_interval is None
    assert service_manager({**environ, "WATCHDOG_USEC": "soon"}, pid=7).watchdog_interval is None


def test_a_manager_that_went_away_stops_nothing(tmp_path: Path) -> None:
    Systemd(str(tmp_path / "nobody")).alive("still here")


def test_outside_systemd_nothing_is_said() -> None:
    service = service_manager({})
    assert isinstance(service, NoServiceManager)
    service.ready("")
