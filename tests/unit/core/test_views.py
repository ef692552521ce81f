"""A host's health in one word."""

from dataclasses import replace

import pytest
from tests.fakes.words import a_condition

from sickbay.core.conditions import Severity, Status
from sickbay.core.views import Health, health_of


@pytest.mark.parametrize(
    ("severity", "health"),
    [
        (Severity.INFO, Health.HEALTHY),
        (Severity.WARNING, Health.DEGRADED),
        (Severity.CRITICAL, Health.UNHEALTHY),
        (Severity.FATAL, Health.UNHEALTHY),
    ],
)
def test_the_gravest_open_condition_decides(severity: Severity, health: Health):
    mild = replace(a_condition(type_="Mild"), severity=Severity.INFO)
    assert health_of((mild, replace(a_condition(), severity=severity)))[0] is health


def test_a_host_that_cannot_be_seen_is_unknown_and_never_healthy():
    assert health_of((), blind="the driver hangs") == (Health.UNKNOWN, "the driver hangs")


def test_a_host_that_is_seen_to_be_bad_is_bad_also_where_it_cannot_all_be_seen():
    assert health_of((a_condition(),), blind="the driver hangs")[0] is Health.UNHEALTHY


def test_a_condition_that_is_not_known_is_not_open():
    assert health_of((replace(a_condition(), status=Status.UNKNOWN),))[0] is Health.HEALTHY


def test_the_sentence_names_the_worst_and_counts_the_rest():
    others = [replace(a_condition(type_=name), severity=Severity.WARNING) for name in ("Warm", "Slow")]
    assert health_of((*others, a_condition()))[1] == "GpuLost (XID_79) on gpu/0000:1b:00 and 2 more"
