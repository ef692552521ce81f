"""A fleet in shares by node: whatever their number, the findings are the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rules import BOOT, START, gpu, happened, rules_from
from tests.unit.core.test_fleet_replay import BUS, REBOOT

from sickbay.core.fleet_findings import FleetFindings, Share, findings_of, together
from sickbay.core.fleet_replay import FleetReplay
from sickbay.core.history import About, Acted, Began, HistoryEntry, Looked
from sickbay.core.ids import NodeName

RULES = rules_from(BUS)


def found(entries: list[HistoryEntry], share: Share) -> FleetFindings:
    run = FleetReplay(rules=RULES, remedies={REBOOT.id: REBOOT}, about=About(source="x"), holds=share.holds)
    for entry in entries:
        run.take(entry)
    run.finish()
    return findings_of(run)


def history(told: list[tuple[int, int]]) -> list[HistoryEntry]:
    """Nodes that begin, then lose a GPU one after the other, with a repair in between."""
    names = sorted({NodeName(f"gpu-{node}") for node, _ in told})
    entries: list[HistoryEntry] = [Began(node=name, now=START, boot_id=BOOT) for name in names]
    for number, (node, code) in enumerate(told, start=1):
        now = START.later(60.0 * number)
        signal = happened("xid", 60.0 * number, number, gpu(), code=code)
        entries.append(Looked(node=NodeName(f"gpu-{node}"), now=now, signals=(signal,)))
    name = NodeName("gpu-0")
    return [*entries, Acted(node=name, now=START.later(9_000.0), what="cordon", who="c", why="w")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([79, 13])), max_size=20), st.integers(2, 5))
def test_the_findings_do_not_depend_on_the_number_of_shares(told: list[tuple[int, int]], of: int) -> None:
    entries = history(told)
    whole = found(entries, Share())
    assert together([found(entries, Share(index=index, of=of)) for index in range(of)]) == whole


@given(st.text(min_size=1), st.integers(1, 64))
def test_a_node_is_of_one_share_and_always_the_same(name: str, of: int) -> None:
    holds = [Share(index=index, of=of).holds(NodeName(name)) for index in range(of)]
    assert holds.count(True) == 1
