"""Rule sets on the wire: there and back, and what is not one said so."""

import zlib

import pytest

from sickbay.core.rule_bundles import MOST_BYTES, RuleBundle, RuleFile, RuleLayer, RuleSetOffer, RulesReport
from sickbay.host.rule_files import builtin_rules_dir
from sickbay.host.rule_sets import read_bundle
from sickbay.rpc.convert_rules import (
    MOST_PROBLEMS,
    core_offer,
    core_rules_report,
    too_large,
    wire_offer,
    wire_rules_report,
)
from sickbay.v1 import coordinator_pb2 as pb


def test_a_set_arrives_as_it_was_sent() -> None:
    bundle = read_bundle((builtin_rules_dir(),))
    offer = RuleSetOffer(digest=bundle.digest, version=7, bundle=bundle)
    assert core_offer(wire_offer(offer)) == offer
    assert not too_large(bundle)


def test_no_set_at_all_arrives_as_that() -> None:
    assert core_offer(wire_offer(RuleSetOffer(digest=""))) == RuleSetOffer(digest="")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        zlib.compress(b"\xff\xff\xff"),
        zlib.compress(bytes(MOST_BYTES * 3)),
        zlib.compress(b"x" * 99)[:9],
    ],
)
def test_what_cannot_be_unpacked_says_so(content: bytes) -> None:
    offer = core_offer(pb.RuleSet(digest="d", version=1, content=content))
    assert offer.bundle is None
    assert offer.unreadable.startswith("the set cannot be unpacked")


def test_a_set_that_no_message_holds_is_told_before_it_is_sent() -> None:
    text = "".join(f"{zlib.crc32(str(n).encode()):x}" for n in range(900_000))
    bundle = RuleBundle(layers=(RuleLayer(origin="/s", files=(RuleFile(name="a.yaml", text=text),)),))
    assert "can be handed out" in too_large(bundle)


def test_a_report_arrives_with_as_many_problems_as_help() -> None:
    report = RulesReport(
        takes=True,
        running="a",
        version=3,
        since=5.0,
        refused="b",
        problems=tuple(f"p{n}" for n in range(100)),
        rules_digest="c",
    )
    back = core_rules_report(wire_rules_report(report))
    assert len(back.problems) == MOST_PROBLEMS
    assert (back.running, back.refused, back.since) == ("a", "b", 5.0)


def test_an_agent_of_before_takes_nothing() -> None:
    assert core_rules_report(pb.Hello().rules) == RulesReport()
