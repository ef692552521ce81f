"""A candidate rule set beside what the rules of that time made of a history."""

from collections.abc import Sequence

from tests.support.rules import BOOT, START, gpu, happened, reading, rules_from

from sickbay.core.conditions import Mode
from sickbay.core.fleet_findings import findings_of
from sickbay.core.fleet_replay import FleetReplay
from sickbay.core.history import About, Acted, Began, HistoryEntry, Looked, Told
from sickbay.core.ids import NodeName
from sickbay.core.remedies import Attempts, Remedy, Rung, RungKind
from sickbay.core.replay import NodeReplay
from sickbay.core.rules import RuleSet
from sickbay.core.signals import Signal

NODE = NodeName("gpu-1")
REBOOT = Remedy(
    id="drain-and-reboot",
    ladder=(Rung(kind=RungKind.REBOOT), Rung(kind=RungKind.QUARANTINE)),
    attempts=Attempts(max=2, window=86400.0),
)

BUS = """
- id: bus
  on: xid
  when: signal.code == 79
  condition: {type: Bus, severity: fatal, scope: gpu, family: bus}
  clear: {quiet: 10m}
  remedy: drain-and-reboot
  mode: act
  because: gone
"""
HOT = """
- id: hot
  on: temperature
  when: signal.gpu > 80
  for: 10m
  condition: {type: Hot, severity: warning, scope: gpu}
  clear: {when: signal.gpu < 70, for: 5m}
  because: heat
"""


def looked(*signals: Signal, node: NodeName = NODE) -> Looked:
    return Looked(node=node, now=START.later(signals[0].at.mono - START.mono), signals=signals)


def began(node: NodeName = NODE) -> Began:
    return Began(node=node, now=START, boot_id=BOOT)


def run(
    rules: RuleSet, entries: Sequence[HistoryEntry], *, sparse: bool = False, mode: Mode = Mode.ACT
) -> FleetReplay:
    made = FleetReplay(
        rules=rules, remedies={REBOOT.id: REBOOT}, about=About(source="x", sparse=sparse), mode=mode
    )
    for entry in entries:
        made.take(entry)
    made.finish()
    return made


def lost(at: float, sequence: int, slot: int = 0) -> Looked:
    return looked(happened("xid", at, sequence, gpu(slot), code=79))


def test_a_fault_makes_an_incident_a_cordon_and_a_repair() -> None:
    made = run(rules_from(BUS), [began(), lost(0, 1)])
    assert (made.candidate.conditions, made.candidate.incidents) == (1, 1)
    assert made.candidate.actions == {"cordon": 1, "reboot": 1}
    assert [(each.what, each.incident.rule) for each in made.candidate.listed] == [
        ("cordon", "bus"),
        ("reboot", "bus"),
    ]


def test_a_rule_that_only_watches_does_nothing_and_one_that_proposes_asks() -> None:
    entries = [began(), lost(0, 1)]
    assert run(rules_from(BUS.replace("act", "observe", 1)), entries).candidate.actions == {}
    assert run(rules_from(BUS.replace("mode: act", "mode: propose")), entries).candidate.actions == {
        "propose": 1
    }
    assert run(rules_from(BUS), entries, mode=Mode.OBSERVE).candidate.actions == {}


def test_a_node_that_used_up_its_attempts_goes_to_a_person_and_is_not_taken_again() -> None:
    faults = [lost(3600.0 * hour, hour) for hour in range(1, 6)]
    made = run(rules_from(BUS), [began(), *faults])
    assert made.candidate.incidents == 5
    assert made.candidate.actions == {"cordon": 3, "reboot": 2, "quarantine": 1}


def test_the_two_columns_differ_by_the_rules_alone() -> None:
    live = NodeReplay(node=NODE, rules=rules_from(BUS), about=About(source="live"))
    entries: list[HistoryEntry] = []
    for entry in (began(), lost(0, 1)):
        entries.append(entry)
        entries += [Told(node=NODE, now=c.now, condition=c.condition) for c in live.take(entry)]
    same = run(rules_from(BUS), entries)
    assert same.candidate.actions == same.recorded.actions == {"cordon": 1, "reboot": 1}
    assert list(findings_of(same).differences()) == []
    none = run(rules_from(BUS.replace("== 79", "== 48")), entries)
    assert (none.candidate.conditions, none.recorded.conditions) == (0, 1)
    assert list(findings_of(none).differences()) == [("bus", 1, 0)]


def test_a_reading_that_stood_once_in_a_sparse_history_proves_a_span() -> None:
    hot, cool = reading("temperature", 0, gpu=90), reading("temperature", 7200, gpu=60)
    sparse = run(rules_from(HOT), [began(), looked(hot), looked(cool)], sparse=True)
    assert sparse.candidate.conditions == 1
    assert run(rules_from(HOT), [began(), looked(hot), looked(cool)]).candidate.conditions == 0


def test_a_reading_that_changed_before_the_span_was_over_proves_nothing() -> None:
    hot, cool = reading("temperature", 0, gpu=90), reading("temperature", 300, gpu=60)
    assert run(rules_from(HOT), [began(), looked(hot), looked(cool)], sparse=True).candidate.conditions == 0


def test_a_condition_of_a_sparse_history_clears_once() -> None:
    replay = NodeReplay(node=NODE, rules=rules_from(HOT), about=About(source="x", sparse=True))
    entries = (
        began(),
        looked(reading("temperature", 0, gpu=90)),
        looked(reading("temperature", 7200, gpu=60)),
    )
    changes = [change for entry in entries for change in replay.take(entry)]
    changes += replay.pass_time(START.later(86400))
    assert [(c.condition.type, c.condition.is_open) for c in changes] == [("Hot", True), ("Hot", False)]
    opened, cleared = (change.now.mono - START.mono for change in changes)
    assert 600 <= opened <= 601
    assert 7500 <= cleared <= 7501


def test_what_was_really_done_and_what_cannot_be_told_are_said() -> None:
    acted = Acted(node=NODE, now=START, what="reboot", who="coordinator")
    made = run(rules_from(BUS + HOT), [began(), lost(0, 1), acted])
    assert made.acted == {"reboot": 1}
    assert made.unseen == ("hot",)
    assert (made.signals, made.nodes) == (1, 1)


def test_nodes_do_not_depend_on_each_other() -> None:
    other = NodeName("gpu-2")
    entries = [began(), began(other), lost(0, 1), looked(happened("xid", 1, 1, code=79), node=other)]
    made = run(rules_from(BUS), entries)
    assert made.candidate.nodes == {NODE, other}
    assert made.candidate.actions["cordon"] == 2
