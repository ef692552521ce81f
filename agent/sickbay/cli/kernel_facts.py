"""What single lines of a kernel log say, by the patterns, the catalogue and the rules that the agent has."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from sickbay.core.conditions import Severity
from sickbay.core.devices import Inventory, normalise_pci
from sickbay.core.expressions import values_of
from sickbay.core.gpu_lost_lines import ProbeLoss, follow_probe
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_lines import classify
from sickbay.core.kernel_records import KERN, KernelRecord
from sickbay.core.log_forms import bare_text
from sickbay.core.rules import Rule, RuleSet
from sickbay.core.signals import FieldValue, Signal
from sickbay.core.sxid_lines import SxidMore, read_sxid
from sickbay.core.xid_words import ImmediateAction, XidClass
from sickbay.monitors.kernel_log import INTEREST, KernelLogState, lost_signal, observe
from sickbay.monitors.xid import Seen

_NOWHEN = Instant(mono=0.0, wall=0.0)
_LOST = "GPU has fallen off the bus"

OTHER_KINDS: dict[str, tuple[XidClass, str]] = {
    "pcie_error": (XidClass.HARDWARE, "errors"),
    "pcie_containment": (XidClass.HARDWARE, "cause"),
    "pcie_recovery": (XidClass.HARDWARE, ""),
    "hardware_error": (XidClass.HARDWARE, "label"),
    "nvme_error": (XidClass.HARDWARE, "fault"),
    "block_error": (XidClass.HARDWARE, "error"),
    "filesystem_error": (XidClass.HARDWARE, "effect"),
    "out_of_memory": (XidClass.APPLICATION, "process"),
    "cpu_stall": (XidClass.UNKNOWN, "how"),
    "hung_task": (XidClass.SECONDARY, "process"),
    "kernel_bug": (XidClass.UNKNOWN, "how"),
    "adapter_event": (XidClass.FABRIC, "what"),
    "driver_trouble": (XidClass.UNKNOWN, "what"),
}
"""Kinds that no catalogue of NVIDIA's lists: what sort of fault they are, and the field that names it."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What one line says. `kind` is `none` where it says nothing of its own, and then nothing else is set.

    `note` is for people: what the line goes on with, or what its registers say. `pci` is `0000:1b:00`.
    """

    kind: str = "none"
    code: int | None = None
    pci: str | None = None
    gpu_instance: int | None = None
    compute_instance: int | None = None
    link: int | None = None
    name: str | None = None
    severity: str | None = None
    klass: str | None = None
    action: str | None = None
    caused_by: int | None = None
    rules: tuple[str, ...] = ()
    note: str = ""

    @cached_property
    def json(self) -> str:
        """Its fields as one JSON object without the opening brace, to follow the line's number."""
        shown = {
            "kind": self.kind,
            "code": self.code,
            "pci": self.pci,
            "gpu_instance": self.gpu_instance,
            "compute_instance": self.compute_instance,
            "link": self.link,
            "name": self.name,
            "severity": self.severity,
            "class": self.klass,
            "action": self.action,
            "caused_by": self.caused_by,
            "rules": list(self.rules),
        }
        return json.dumps(shown)[1:]


NOTHING = Fact()


class Reader:
    """Reads lines in their order: a sentence that the driver breaks over lines is known by its beginning."""

    def __init__(self, rules: Callable[[], RuleSet], *, driver_version: str = "") -> None:
        """`rules` is asked with the first line that says anything, since loading them takes a while."""
        self._rules = cache(rules)
        self._seen = Seen(
            boot_id=BootId("unknown"), now=_NOWHEN, inventory=Inventory(driver_version=driver_version)
        )
        self._probe: ProbeLoss | None = None
        self._alone = lru_cache(maxsize=1024)(self._read_alone)

    def read(self, line: str) -> Fact:
        """What a line says, in any of the forms of `core.log_forms`."""
        text = bare_text(line)
        if text is None:
            return NOTHING
        raw = text.encode("utf-8", "replace")
        return self._of_text(text) if INTEREST.covers(raw, 0) else NOTHING

    def _of_text(self, text: str) -> Fact:
        fact = self._alone(text)
        if fact is not NOTHING:
            return fact
        before = self._probe
        self._probe, lost = follow_probe(before, text)
        if lost is not None:
            return self._fact(lost_signal(lost, _record(text), _NOWHEN, self._seen))
        goes_on = self._probe is not None and self._probe.words != (before.words if before else "")
        return Fact(note="part of a sentence over several lines") if goes_on else NOTHING

    def _read_alone(self, text: str) -> Fact:
        signals = observe(KernelLogState(), [_record(text)], self._seen).signals
        if signals:
            return self._fact(signals[0])
        if isinstance(read_sxid(text), SxidMore):
            return Fact(note="more about the SXid before it")
        line = classify(text)
        if line is None:
            return NOTHING
        return Fact(note=f"more about the {line.kind} {'after' if line.precedes else 'before'} it")

    def _fact(self, signal: Signal) -> Fact:
        fields = signal.fields
        values = values_of(signal)
        matching = [rule for rule in self._rules().by_kind.get(signal.kind, ()) if _matches(rule, values)]
        klass, named_by = OTHER_KINDS.get(signal.kind, (XidClass.UNKNOWN, ""))
        lost = signal.kind == "gpu_lost"
        return Fact(
            kind=signal.kind,
            code=_number(fields.get("code")),
            pci=signal.subject.pci or _slot(fields),
            gpu_instance=_number(fields.get("gpu_instance")),
            compute_instance=_number(fields.get("compute_instance")),
            link=_number(fields.get("link")),
            name=_LOST if lost else _text(fields.get("name")) or _text(fields.get(named_by)),
            severity=_severity(fields, matching),
            klass=XidClass.HARDWARE.value if lost else _text(fields.get("class")) or klass.value,
            action=ImmediateAction.RESTART_BM.value if lost else _action(fields),
            caused_by=_number(fields.get("caused_by")),
            rules=tuple(sorted(rule.id for rule in matching)),
            note=_note(fields),
        )


def _record(text: str) -> KernelRecord:
    return KernelRecord(facility=KERN, level=0, sequence=0, usec=0, text=text)


def _matches(rule: Rule, values: Mapping[str, FieldValue]) -> bool:
    """Whether the rule's expression holds; a rule for chosen hosts only is not asked, as there is no host."""
    return rule.select is None and rule.when.evaluate(values) is True


def _severity(fields: Mapping[str, FieldValue], matching: list[Rule]) -> str:
    """The driver's own word where the line has one, otherwise that of the gravest rule."""
    said = _text(fields.get("link_severity")) or _text(fields.get("severity"))
    if said is not None:
        return said
    severities = (rule.condition.severity for rule in matching)
    return max(severities, key=lambda each: each.rank, default=Severity.INFO).value


def _action(fields: Mapping[str, FieldValue]) -> str:
    return _text(fields.get("action")) or ImmediateAction.UNKNOWN.value


def _note(fields: Mapping[str, FieldValue]) -> str:
    parts = [_text(fields.get("findings")), _text(fields.get("advised"))]
    if parts[1]:
        parts[1] = f"NVIDIA's workflow comes to {parts[1]}"
    return "; ".join(part for part in parts if part)


def _slot(fields: Mapping[str, FieldValue]) -> str | None:
    """The PCI address of a part that is no GPU, where the line names one."""
    named = (_text(fields.get(name)) or "" for name in ("device", "port"))
    return next((pci for text in named if (pci := normalise_pci(text))), None)


def _number(value: FieldValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: FieldValue) -> str | None:
    return value if isinstance(value, str) and value else None
