"""Asking where nobody listens."""

from pathlib import Path

from sickbay.rpc.quick_look import beside, quick_look


def test_the_second_socket_is_beside_the_first() -> None:
    assert beside(Path("/run/sickbay/agent.sock")) == Path("/run/sickbay/agent.view")


def test_where_nobody_listens_the_host_is_asked_otherwise(tmp_path: Path) -> None:
    assert quick_look(tmp_path / "agent.sock", timeout=1.0) is None
    beside(tmp_path / "agent.sock").write_bytes(b"no socket")
    assert quick_look(tmp_path / "agent.sock", timeout=1.0) is None


def test_a_path_that_no_socket_can_have_is_nobodys(tmp_path: Path) -> None:
    assert quick_look(tmp_path / ("x" * 200) / "agent.sock", timeout=1.0) is None
