"""Ports as signals: what is said of each, and what is remembered of it."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.devices import Scope
from sickbay.core.instants import Instant
from sickbay.core.platforms import PlatformProfile
from sickbay.core.signals import Signal
from sickbay.host.infiniband import Port
from sickbay.monitors import infiniband
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.infiniband import STICKY, Ports, port_subject

UP = Port(
    device="mlx5_0",
    number=1,
    state="ACTIVE",
    physical="LinkUp",
    rate=400.0,
    link_layer="InfiniBand",
    model="MT4129",
)
DOWN = replace(UP, state="DOWN", physical="Polling", rate=10.0)
OFF = replace(DOWN, physical="Disabled", disabled=True)


def known(at: float = 0.0, **changes: object) -> HostKnown:
    return replace(HostKnown(now=Instant(mono=10_000.0 + at, wall=at)), **changes)  # type: ignore[arg-type]


def driven(*ports: Port | None, every: float = 1.0) -> tuple[Ports, HostKnown]:
    """One port, as it was at each look; None where it did not show."""
    before: Ports | None = None
    now = known()
    for look, port in enumerate(ports):
        now = known(look * every)
        before = infiniband.carry(Ports(ports=() if port is None else (port,)), before, now)
    assert before is not None
    return before, now


def said(*ports: Port | None, every: float = 1.0) -> Signal:
    reading, now = driven(*ports, every=every)
    (signal,) = infiniband.signals(reading, None, now)
    return signal


def test_a_port_that_is_up_is_said_whole() -> None:
    signal = said(UP)
    assert signal.subject == port_subject("mlx5_0/1")
    assert signal.subject.scope is Scope.PORT
    assert dict(signal.fields) == {
        "present": True,
        "active": True,
        "disabled": False,
        "state": "ACTIVE",
        "physical": "LinkUp",
        "link_layer": "InfiniBand",
        "rate": 400.0,
        "expected_rate": 400.0,
        "drops": 0,
    }


def test_a_port_that_is_down_has_no_rate_but_keeps_what_is_expected_of_it() -> None:
    fields = said(UP, DOWN).fields
    assert (fields["active"], fields["rate"], fields["expected_rate"], fields["drops"]) == (
        False,
        None,
        400.0,
        1,
    )


def test_the_best_rate_of_this_boot_is_expected() -> None:
    assert said(UP, replace(UP, rate=200.0)).fields["expected_rate"] == 400.0
    assert said(replace(UP, rate=200.0), UP).fields["expected_rate"] == 400.0


def test_a_port_that_is_gone_is_said_to_be_and_that_counts_as_a_drop() -> None:
    fields = said(UP, None, None).fields
    assert (fields["present"], fields["active"], fields["drops"]) == (False, False, 1)


def test_what_somebody_switches_off_has_not_dropped() -> None:
    fields = said(UP, OFF).fields
    assert (fields["disabled"], fields["drops"]) == (True, 0)


def test_an_unknown_state_is_neither_up_nor_a_drop() -> None:
    fields = said(UP, replace(UP, state=None), UP).fields
    assert (fields["active"], fields["drops"]) == (True, 0)
    assert said(UP, replace(UP, state=None)).fields["active"] is None


@given(st.lists(st.sampled_from([UP, DOWN, OFF]), max_size=60))
def test_drops_are_falls_from_up_to_down_within_the_window(states: list[Port]) -> None:
    states = [UP, *states]
    falls = [look for look, (was, now) in enumerate(pairwise(states), 1) if (was, now) == (UP, DOWN)]
    last = len(states) - 1
    assert said(*states, every=30.0).fields["drops"] == sum(1 for at in falls if (last - at) * 30.0 < STICKY)


def test_nodes_without_a_port_of_the_platforms_rate_are_built_in_another_way() -> None:
    profile = PlatformProfile(ports=8, port_rate=400.0)
    slow = Ports(ports=(replace(UP, rate=100.0),))
    assert infiniband.signals(slow, None, known(profile=profile)) == ()
    (node,) = infiniband.signals(Ports(ports=(UP,)), None, known(profile=profile))
    assert dict(node.fields) == {"expected": 8, "expected_rate": 400.0, "at_rate": 1, "present": 1}


def test_of_a_port_with_a_condition_that_nobody_remembers_it_is_said_whether_it_shows() -> None:
    concerned = frozenset({port_subject("mlx5_9/1")})
    (signal,) = infiniband.signals(Ports(ports=()), None, known(concerned=concerned))
    assert (signal.subject.name, signal.fields["present"]) == ("mlx5_9/1", False)
