"""A host that speaks to a rule set: rules from YAML text, signals in a line each, the engine's answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sickbay.core.conditions import Condition, Status
from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.field_reading import Entry
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.problems import Problem
from sickbay.core.rule_book import Said
from sickbay.core.rule_engine import Observation, gpu_was_reset, observe, state_after_boot
from sickbay.core.rule_parsing import parse_rules
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import Rule, RuleSet
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.host.yaml_files import parse_yaml

BOOT = BootId("boot-1")
REMEDIES = ("none", "drain-and-reboot", "drain-and-reset-gpu", "quarantine")
START = Instant(mono=10_000.0, wall=1_700_000_000.0)
"""Long after boot, so that no boot grace is in the way."""


def entries_from(text: str, *, file: str = "rules.yaml") -> list[Entry]:
    """The items of a YAML list, located in their text."""
    document = parse_yaml(text, file=file)
    assert isinstance(document.value, list)
    return [
        Entry(
            fields=fields,
            locate=lambda path, offset=0, *, key=False, at=index: document.locate(
                (at, *path), offset, key=key
            ),
            layer=file,
        )
        for index, fields in enumerate(document.value)
    ]


def parsed(text: str) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """The rules in a text, and what is wrong with them."""
    return parse_rules(entries_from(text), remedies=REMEDIES)


def rules_from(text: str) -> RuleSet:
    """The rules in a text that has nothing wrong with it."""
    rules, problems = parsed(text)
    assert not problems, "\n".join(str(problem) for problem in problems)
    return RuleSet.of(rules)


def gpu(slot: int = 0) -> Subject:
    """The GPU in a slot."""
    return Subject(scope=Scope.GPU, gpu_uuid=f"GPU-{slot}", pci=f"0000:{0x10 + slot:02x}:00")


def link(number: int, slot: int = 0) -> Subject:
    """A link of the GPU in a slot."""
    return Subject(scope=Scope.LINK, gpu_uuid=f"GPU-{slot}", pci=gpu(slot).pci, link=number)


@dataclass(slots=True)
class Host:
    """Feeds signals to the engine and keeps its state. `at` is in seconds after START."""

    rules: RuleSet
    boot: BootId = BOOT
    state: EngineState = field(default_factory=EngineState)
    last: Observation = field(default_factory=lambda: Observation(state=EngineState()))
    next_sequence: int = 1

    def see(self, *signals: Signal, at: float | None = None) -> Observation:
        """Hand signals over at their latest time, or at `at`."""
        latest = max((signal.at.mono for signal in signals), default=START.mono)
        now = START.later((latest - START.mono) if at is None else at)
        return self._took(observe(self.rules, self.state, signals, now=now, boot_id=self.boot))

    def wait(self, until: float) -> Observation:
        """Let time pass without a signal."""
        return self.see(at=until)

    def reboot(self, boot: str, *, at: float = 0.0) -> Observation:
        """Come up under a new boot id."""
        self.boot = BootId(boot)
        return self._took(state_after_boot(self.state, self.boot, START.later(at)))

    def restart(self, *, at: float) -> Observation:
        """Come up again on the same boot."""
        return self._took(state_after_boot(self.state, self.boot, START.later(at)))

    def reset(self, pci: str, *, at: float = 0.0) -> Observation:
        """See a GPU reset."""
        return self._took(gpu_was_reset(self.state, pci, START.later(at)))

    def event(self, kind: str, at: float, subject: Subject | None = None, **fields: FieldValue) -> Signal:
        """Something that happened, with an identity of its own."""
        self.next_sequence += 1
        return happened(kind, at, self.next_sequence, subject, boot=self.boot, **fields)

    @property
    def open(self) -> dict[str, Condition]:
        """The open conditions by type; a test has at most one of a type."""
        return {condition.type: condition for condition in self.state.conditions}

    def types(self) -> set[str]:
        """The types of what is open."""
        return {condition.type for condition in self.state.conditions}

    def said(self) -> set[Said]:
        """What the engine did last."""
        return {explanation.said for explanation in self.last.explanations}

    def _took(self, observation: Observation) -> Observation:
        self.state, self.last = observation.state, observation
        return observation


def happened(
    kind: str,
    at: float,
    sequence: int,
    subject: Subject | None = None,
    *,
    boot: BootId = BOOT,
    **fields: FieldValue,
) -> Signal:
    """Something that happened, under a given identity. `class_` stands for the field `class`."""
    return Signal(
        kind=kind,
        subject=subject or gpu(),
        at=START.later(at),
        fields=_named(fields),
        identity=EventId(boot_id=boot, source="kmsg", sequence=sequence),
        sources=("kmsg",),
        raw=f"NVRM: {kind} {sequence}",
    )


def reading(kind: str, at: float, subject: Subject | None = None, **fields: FieldValue) -> Signal:
    """A level as it was read."""
    return Signal(
        kind=kind, subject=subject or gpu(), at=START.later(at), fields=_named(fields), sources=("nvml",)
    )


def node_reading(kind: str, at: float, **fields: FieldValue) -> Signal:
    """A level of the node as a whole."""
    return reading(kind, at, NODE, **fields)


def sweeps(
    kind: str, times: Sequence[float], subject: Subject | None = None, **fields: FieldValue
) -> list[Signal]:
    """The same reading at several times."""
    return [reading(kind, at, subject, **fields) for at in times]


def statuses(observation: Observation) -> list[tuple[str, Status]]:
    """What changed, in order."""
    return [(condition.type, condition.status) for condition in observation.conditions_changed]


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _named(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    return {name.removesuffix("_"): value for name, value in fields.items()}
