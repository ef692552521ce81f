"""Stories of whole fleets: histories in the language of cases, and what is decided in the course of them.

`python -m tests.support.stories` writes the golden decisions anew, to be read before they are committed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cases import PLATFORMS, bench

from sickbay.core.case_history import EPOCH, history_of
from sickbay.core.case_parsing import parse_case
from sickbay.core.expectation_parsing import Known
from sickbay.core.field_reading import Entry, FieldReader
from sickbay.core.fleet_replay import FleetReplay, Tally
from sickbay.core.history import About, HistoryEntry
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Circumstances, correlate
from sickbay.core.link_faults import LinkFault, attached, link_fault
from sickbay.core.replay import NodeReplay
from sickbay.core.rule_cases import Case
from sickbay.core.rule_parsing import parse_rules
from sickbay.core.rules import RuleSet
from sickbay.host.case_files import profiles_by_id
from sickbay.host.yaml_files import YamlDocument, read_yaml

FOLDER = Path(__file__).parents[1] / "traces" / "stories"
FILES = sorted(FOLDER.glob("*.yaml"))
PROFILES = profiles_by_id(PLATFORMS)

Plain = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Nodes to which the same happens, under the names `name-001` and so on."""

    case: Case
    nodes: int

    def names(self) -> list[NodeName]:
        return [NodeName(f"{self.case.node}-{number:03}") for number in range(1, self.nodes + 1)]

    def entries(self, node: NodeName) -> tuple[HistoryEntry, ...]:
        return history_of(self.case, bench().read_lines, PROFILES, node=node).entries


@dataclass(frozen=True, kw_only=True)
class Story:
    """`naive` are the rules of a tool that gets it wrong, `wrong` says what it gets wrong."""

    name: str
    story: str
    wrong: str
    naive: RuleSet
    parts: tuple[Part, ...]

    @property
    def golden(self) -> Path:
        return FOLDER / f"{self.name}.golden.json"


def told(file: Path) -> Story:
    """The story in a file."""
    document = read_yaml(file)
    value = document.value
    assert isinstance(value, dict)
    rules, problems = parse_rules(_entries(document, "naive"), remedies=bench().remedies)
    parts = [_part(entry) for entry in _entries(document, "fleet")]
    assert not problems, problems
    return Story(
        name=file.stem,
        story=value["story"],
        wrong=value["wrong"],
        naive=RuleSet.of(rules),
        parts=tuple(parts),
    )


def decisions(story: Story) -> Plain:
    """What is decided: which conditions, on how many nodes and when; what is done to which node; what not."""
    ours = _replayed(story, bench().rules)
    faults = _all_link_faults(story, EPOCH + 60.0)
    pairs = attached(faults.values(), EPOCH + 60.0)
    done = [each for each in ours.candidate.listed if each.incident.id not in pairs]
    return {
        "nodes": ours.nodes,
        "signals": ours.signals,
        "conditions": sorted(
            _conditions(story), key=lambda each: (each["node"], each["after"], each["type"])
        ),
        "by_rule": dict(sorted(ours.candidate.by_rule.items())),
        "incidents": ours.candidate.incidents,
        "done": [
            f"{each.node} after {each.now.wall - EPOCH:.0f}s: {each.what} for {each.incident.rule}"
            for each in done
        ],
        **({"explained": _told(pairs, faults)} if pairs else {}),
        "nodes_left_alone": ours.nodes - len({each.node for each in done}),
        "naive": _counts(_replayed(story, story.naive).candidate),
    }


def _conditions(story: Story) -> Iterator[Plain]:
    """Each condition that opens on one node of each part, with when it does and whether it stays."""
    for part in story.parts:
        replay = NodeReplay(
            node=NodeName(part.case.node), rules=bench().rules, about=About(source=story.name)
        )
        opened: dict[str, Plain] = {}
        for entry in part.entries(part.names()[0]):
            for change in replay.take(entry):
                condition = change.condition
                if condition.is_open and condition.key not in opened:
                    opened[condition.key] = {
                        "node": part.case.node,
                        "of": part.nodes,
                        "type": condition.type,
                        "on": condition.subject.key,
                        "severity": condition.severity.value,
                        "mode": condition.mode.value,
                        "rule": condition.rule,
                        "after": round(change.now.wall - EPOCH, 3),
                        "evidence_from": round(condition.t0 - EPOCH, 3),
                    }
        still = {condition.key: condition for condition in replay.state.conditions}
        for key, condition in opened.items():
            occurrences = still[key].occurrences if key in still else None
            yield {**condition, "open_at_the_end": key in still, "occurrences": occurrences}


def _told(pairs: Mapping[IncidentId, IncidentId], faults: Mapping[IncidentId, LinkFault]) -> list[str]:
    """Which incidents another one explains: those begin nothing."""
    named = [(faults[victim], faults[root]) for victim, root in pairs.items()]
    return sorted(f"{v.reason} of {v.node} by {r.reason} of {r.node}" for v, r in named)


def _all_link_faults(story: Story, now: float) -> dict[IncidentId, LinkFault]:
    """A story's nodes are all of one NVLink domain."""
    names = [(part, node) for part in story.parts for node in part.names()]
    faults = [fault for part, node in names for fault in _link_faults(part, node, now)]
    return {fault.incident: fault for fault in faults}


def _link_faults(part: Part, node: NodeName, now: float) -> list[LinkFault]:
    replay = NodeReplay(node=node, rules=bench().rules, about=About(source=node))
    for entry in part.entries(node):
        for _ in replay.take(entry):
            pass
    conditions = {condition.key: condition for condition in replay.state.conditions}
    given = Circumstances(
        node=node,
        boot_id=replay.state.boot_id,
        strength={name: remedy.strength for name, remedy in bench().remedies.items()},
    )
    found = correlate((), conditions.values(), given=given, now=now).incidents
    faults = (link_fault(incident, conditions, "nvlink:story") for incident in found)
    return [fault for fault in faults if fault is not None]


def _replayed(story: Story, rules: RuleSet) -> FleetReplay:
    replay = FleetReplay(rules=rules, remedies=bench().remedies, about=About(source=story.name))
    histories = [entry for part in story.parts for node in part.names() for entry in part.entries(node)]
    for entry in sorted(histories, key=lambda each: each.now.wall):
        replay.take(entry)
    replay.finish()
    return replay


def _counts(tally: Tally) -> Plain:
    return {
        "conditions": tally.conditions,
        "incidents": tally.incidents,
        "nodes_touched": len(tally.nodes),
        "actions": dict(sorted(tally.actions.items())),
    }


def _part(entry: Entry) -> Part:
    reader = FieldReader(
        fields={key: value for key, value in entry.fields.items() if key != "nodes"}, locate=entry.locate
    )
    case = parse_case(reader, Known.of(bench().rules, PROFILES))
    assert not reader.problems, "\n".join(map(str, reader.problems))
    nodes = entry.fields["nodes"]
    assert isinstance(nodes, int)
    return Part(case=case, nodes=nodes)


def _entries(document: YamlDocument, key: str) -> list[Entry]:
    assert isinstance(document.value, Mapping)
    return [
        Entry(
            fields=fields,
            locate=lambda path, offset=0, *, key=False, at=(key, index): document.locate(
                (*at, *path), offset, key=key
            ),
            layer=document.file,
        )
        for index, fields in enumerate(document.value[key])
    ]


if __name__ == "__main__":
    for each in map(told, FILES):
        each.golden.write_text(json.dumps(decisions(each), indent=1) + "\n", encoding="utf-8")
