"""What waits for a person's word, and what that word does."""

from dataclasses import replace

import pytest

from sickbay.core.approvals import SEVERITY, Approval, Consent, approval_gate, needed_for
from sickbay.core.conditions import Mode
from sickbay.core.ids import IncidentId
from sickbay.core.remediation import ActionKind

INC = IncidentId("inc-1")
YES = Approval(incident=INC, granted=True, by="ann", at=10.0, expires_at=20.0)
ASKED = Consent(incident=INC, needed="the rule says propose, the cluster allows act")


def test_every_harmful_action_has_its_place_among_the_severities():
    assert set(SEVERITY) == {kind for kind in ActionKind if kind.is_harmful}


def test_a_rule_that_proposes_asks_before_anything():
    why = needed_for(ActionKind.CORDON, rule=Mode.PROPOSE, cluster=Mode.ACT, threshold=None)
    assert why == "the rule says propose, the cluster allows act"


@pytest.mark.parametrize(
    ("action", "asks"),
    [(ActionKind.CORDON, False), (ActionKind.RESET_GPU, False), (ActionKind.POWER_CYCLE, True)],
)
def test_a_rule_that_acts_asks_from_the_configured_severity_on(action: ActionKind, *, asks: bool):
    why = needed_for(action, rule=Mode.ACT, cluster=Mode.ACT, threshold=ActionKind.REBOOT)
    assert bool(why) is asks


def test_what_waits_says_what_it_would_do_and_how_to_let_it():
    finding = approval_gate("reboot n1 for XID_79", ASKED)
    assert not finding.passed
    assert finding.why == (
        "would reboot n1 for XID_79, but the rule says propose, the cluster allows act "
        "(sickbay approve inc-1)"
    )


def test_a_word_lets_through_for_as_long_as_it_counts():
    assert YES.holds(19.9)
    assert not YES.holds(20.0)
    assert approval_gate("x", replace(ASKED, given=YES, ago=5.0)).why == "approved by ann 5.0s ago"


def test_a_denial_holds_even_what_needs_no_word():
    no = replace(YES, granted=False, expires_at=None, reason="RMA 4711")
    finding = approval_gate("x", Consent(incident=INC, given=no))
    assert (finding.passed, finding.why) == (False, "denied by ann: RMA 4711")
