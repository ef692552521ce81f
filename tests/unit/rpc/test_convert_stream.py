"""A directive or an outcome that is not understood does no harm."""

import math

import pytest

from sickbay.core.outcomes import Verdict
from sickbay.rpc.convert_outcomes import core_outcome
from sickbay.rpc.convert_stream import core_directive, core_grant, core_report
from sickbay.v1 import coordinator_pb2 as pb
from sickbay.v1 import types_pb2


@pytest.mark.parametrize("verb", [0, 99, -1])
def test_a_verb_that_is_not_known_is_no_directive(verb: int) -> None:
    assert core_directive(pb.Directive(verb=types_pb2.Verb.ValueType(verb))) is None


@pytest.mark.parametrize("expires_at", [math.nan, math.inf, -math.inf])
def test_a_grant_without_a_proper_end_has_ended(expires_at: float) -> None:
    assert core_grant(pb.Grant(expires_at=expires_at)).expires_at == 0.0


def test_a_directive_without_a_grant_is_granted_to_nobody() -> None:
    directive = core_directive(pb.Directive(verb=types_pb2.VERB_REBOOT))
    assert directive is not None
    assert (directive.grant.node, directive.grant.expires_at) == ("", 0.0)


@pytest.mark.parametrize("verdict", [0, 5, 77])
def test_a_verdict_that_is_not_known_is_unknown_and_never_done(verdict: int) -> None:
    outcome = core_outcome(types_pb2.Outcome(verdict=types_pb2.Verdict.ValueType(verdict)))
    assert outcome.verdict is Verdict.UNKNOWN


def test_a_report_that_left_its_outcome_out_is_unknown() -> None:
    assert core_report(pb.ActionReport(action_id="a1")).outcome.verdict is Verdict.UNKNOWN
