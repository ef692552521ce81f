"""Which addresses are local, which are addresses at all."""

import pytest

from sickbay.rpc.serving import DEFAULT_PORT, LOCAL_ONLY, BadAddress, check_plaintext, host_and_port, is_local


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:7118", "127.8.9.1:1", "[::1]:7118", "localhost:7118", "unix:/run/sickbay/agent.sock"],
)
def test_what_stays_on_this_machine_is_local(address: str) -> None:
    assert is_local(address)
    check_plaintext(address, LOCAL_ONLY)


@pytest.mark.parametrize("address", ["0.0.0.0:7118", "[::]:7118", "10.0.0.1:7118", "head:7118"])
def test_what_may_leave_this_machine_is_not_local(address: str) -> None:
    assert not is_local(address)


@pytest.mark.parametrize("address", ["", "7118", ":7118", "head", "head:", "head:99999", "::1:7118", "a:b:1"])
def test_what_is_no_address_says_what_one_looks_like(address: str) -> None:
    with pytest.raises(BadAddress, match="expected host:port"):
        host_and_port(address)


def test_the_default_port_lies_below_the_ephemeral_range() -> None:
    assert 1024 < DEFAULT_PORT < 32768
