"""One host as an on-call person wants it: GPUs as rows, what is wrong, what is not known. Pure.

Everything here is a value made of a `HostView`, so that the table, JSON and YAML say the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import Gpu, Inventory, Scope
from sickbay.core.host_views import HostView, MonitorState
from sickbay.core.instants import format_duration
from sickbay.core.signals import FieldValue, Signal

_LOST = frozenset({"GpuFallenOffBus", "GpuLost"})

STALE = 60.0
"""Seconds after which what was last read of a GPU is no longer taken for how it is: six usual sweeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRow:
    """One GPU, here or missed. None: not known. Temperatures in C, power in W, `read_at` in Unix seconds.

    `state` is `ok`, `degraded`, `unhealthy`, `lost`, `absent`, `hung` or `unknown`; `wrong` names conditions,
    with a question mark behind those that may hold.
    """

    slot: int
    pci: str
    uuid: str
    name: str
    state: str
    wrong: tuple[str, ...]
    temperature: FieldValue
    memory_temperature: FieldValue
    power: FieldValue
    power_limit: FieldValue
    ecc_corrected: FieldValue
    ecc_uncorrected: FieldValue
    nvlinks_active: FieldValue
    nvlinks: FieldValue
    processes: FieldValue
    jobs: FieldValue
    read_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One condition that holds, or may, with what follows from it. Times in Unix seconds."""

    severity: str
    type: str
    reason: str
    part: str
    status: str
    since: float
    occurrences: int
    synthetic: bool
    evidence: str
    nvidia: str
    next: str
    clears: str
    runbook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKnown:
    """What cannot be said now, and why. `last_seen` in Unix seconds, 0 for never."""

    what: str
    why: str
    last_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """All three."""

    gpus: tuple[GpuRow, ...]
    wrong: tuple[Wrong, ...]
    not_known: tuple[NotKnown, ...]


def report_of(view: HostView) -> HostReport:
    """What a host shows of itself, in the order in which people ask."""
    rows = gpu_rows(view.inventory, view.conditions, view.readings, at=view.at)
    return HostReport(
        gpus=rows,
        wrong=wrongs(view.conditions, rows, coordinator=_coordinator(view)),
        not_known=(*_blind(view.monitors), *_old(rows, view.at), *_doubtful(view.conditions)),
    )


def gpu_rows(
    inventory: Inventory,
    conditions: Iterable[Condition],
    readings: Iterable[Signal],
    *,
    at: float | None,
) -> tuple[GpuRow, ...]:
    """A row a GPU that answers, that is missed, or that something is said of; in the order of slots.

    `at` is when it was asked, in Unix seconds; None where the age of a reading proves nothing, because only
    what changes is told.
    """
    known: dict[str, dict[str, Signal]] = {}
    for signal in readings:
        if signal.subject.scope is Scope.GPU and signal.subject.pci:
            known.setdefault(signal.subject.pci, {})[signal.kind] = signal
    mine: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.subject.pci and condition.status is not Status.FALSE:
            mine.setdefault(condition.subject.pci, []).append(condition)
    here = {gpu.pci: gpu for gpu in inventory.gpus}
    return tuple(
        _row(here.get(pci) or _missed(pci, slot, known, mine), known.get(pci, {}), mine.get(pci, []), at)
        for slot, pci in enumerate(sorted({*here, *known, *mine}))
    )


def _missed(
    pci: str, slot: int, known: Mapping[str, Mapping[str, Signal]], mine: Mapping[str, list[Condition]]
) -> Gpu:
    """A GPU that does not answer, by what else names it. The slot is its place in the order of addresses."""
    subjects = [signal.subject for signal in known.get(pci, {}).values()]
    subjects += [condition.subject for condition in mine.get(pci, [])]
    uuid = next((subject.gpu_uuid for subject in subjects if subject.gpu_uuid), "")
    return Gpu(uuid=uuid, pci=pci, slot=slot)


def _row(gpu: Gpu, known: Mapping[str, Signal], mine: list[Condition], at: float | None) -> GpuRow:
    def read(kind: str, name: str) -> FieldValue:
        signal = known.get(kind)
        return None if signal is None else signal.fields.get(name)

    read_at = max((signal.at.wall for signal in known.values()), default=None)
    names = [c.type if c.is_open else f"{c.type}?" for c in sorted(mine, key=_gravity)]
    return GpuRow(
        slot=gpu.slot,
        pci=gpu.pci,
        uuid=gpu.uuid,
        name=gpu.name,
        state=_state(known, mine, age=_age(read_at, at)),
        wrong=tuple(names),
        temperature=read("temperature", "gpu"),
        memory_temperature=read("temperature", "memory"),
        power=read("power", "instant"),
        power_limit=read("power", "limit"),
        ecc_corrected=read("ecc", "corrected"),
        ecc_uncorrected=read("ecc", "uncorrected"),
        nvlinks_active=read("nvlink", "active"),
        nvlinks=read("nvlink", "links"),
        processes=read("gpu_processes", "count"),
        jobs=read("gpu_processes", "jobs"),
        read_at=read_at,
    )


def _state(known: Mapping[str, Signal], mine: list[Condition], *, age: float | None) -> str:
    """One word. What is certainly bad comes first; what is old, or doubtful, is never `ok`."""

    def says(kind: str, name: str) -> FieldValue:
        return known[kind].fields.get(name) if kind in known else None

    worst = max((c.severity.rank for c in mine if c.is_open), default=-1)
    is_fresh = age is not None and age <= STALE and _answers(known)
    words = (
        (says("gpu_unresponsive", "unresponsive") is True, "hung"),
        (says("gpu_presence", "listed") is False or says("gpu_lost", "how") == "missing", "absent"),
        (says("gpu_lost", "lost") is True or any(c.is_open and c.type in _LOST for c in mine), "lost"),
        (worst >= Severity.CRITICAL.rank, "unhealthy"),
        (not is_fresh or any(not c.is_open for c in mine), "unknown"),
        (worst >= Severity.WARNING.rank, "degraded"),
    )
    return next((word for holds, word in words if holds), "ok")


def _age(read_at: float | None, at: float | None) -> float | None:
    """How old what was read is, in seconds; None for what never was."""
    if read_at is None:
        return None
    return 0.0 if at is None else at - read_at


def _answers(known: Mapping[str, Signal]) -> bool:
    """Whether the GPU was asked and gave anything, its temperature before all."""
    signal = known.get("gpu_unresponsive")
    return signal is None or signal.fields.get("unresponsive") is not None


def wrongs(
    conditions: Iterable[Condition], rows: Iterable[GpuRow] = (), *, coordinator: str = ""
) -> tuple[Wrong, ...]:
    """Each condition that holds or may hold, gravest first."""
    slots = {row.pci: row.slot for row in rows}
    shown = sorted((c for c in conditions if c.status is not Status.FALSE), key=_gravity)
    return tuple(_wrong(condition, slots, coordinator) for condition in shown)


def _wrong(c: Condition, slots: Mapping[str, int], coordinator: str) -> Wrong:
    slot = slots.get(c.subject.pci)
    return Wrong(
        severity=c.severity.value,
        type=c.type,
        reason=c.reason,
        part=c.subject.key if slot is None else f"{c.subject.key}, slot {slot}",
        status=c.status.value,
        since=c.since,
        occurrences=c.occurrences,
        synthetic=c.synthetic,
        evidence=c.message,
        nvidia=_recommended(c),
        next=_next(c, coordinator),
        clears=c.clears,
        runbook=f"docs/runbooks/{c.runbook}.md" if c.runbook else "",
    )


def _gravity(condition: Condition) -> tuple[bool, int, float]:
    return not condition.is_open, -condition.severity.rank, condition.since


def _recommended(condition: Condition) -> str:
    """NVIDIA's own word on it, where the condition rests on an Xid or on what the driver asks for."""
    if condition.type == "GpuRecoveryAction":
        return f"the driver asks for {condition.reason}"
    at = condition.message.find("NVRM: Xid")
    if at < 0:
        return ""
    # The catalogue costs 10 ms to load, and most hosts have no Xid to look up.
    from sickbay.core.xid_lines import parse_xid  # noqa: PLC0415 - as above
    from sickbay.core.xids import lookup  # noqa: PLC0415 - as above

    line = parse_xid(condition.message[at:])
    if line is None:
        return ""
    xid = lookup(line.code)
    return f"Xid {xid.code} ({xid.name}): {xid.action.value}"


def _next(condition: Condition, coordinator: str) -> str:
    """What happens by itself, and what does not."""
    remedy = "" if condition.remedy == "none" else condition.remedy
    if not condition.is_open:
        return "nothing: what is not known acts on nothing"
    if not remedy:
        return "nothing by itself: for a person"
    if condition.mode is Mode.OBSERVE:
        return f"nothing by itself (mode observe); what would help: {remedy}"
    if coordinator:
        return f"nothing: {coordinator}; {remedy} waits for it"
    if condition.mode is Mode.PROPOSE:
        return f"{remedy} is proposed, and waits for a person's word"
    return f"{remedy}, as far as the cluster's mode and the gates allow"


def _coordinator(view: HostView) -> str:
    """Why nobody would act now; empty where a coordinator could."""
    if not view.coordinator:
        return "no coordinator is configured"
    return "" if view.coordinator_connected else "the coordinator is not connected"


def _blind(monitors: Iterable[MonitorState]) -> list[NotKnown]:
    return [
        NotKnown(what=f"what {each.name} watches", why=each.detail, last_seen=each.last_success)
        for each in monitors
        if not each.healthy
    ]


def _old(rows: Iterable[GpuRow], at: float) -> list[NotKnown]:
    return [
        NotKnown(
            what=f"GPU {row.pci}",
            why="never read" if row.read_at is None else f"last read {format_duration(at - row.read_at)} ago",
            last_seen=row.read_at or 0.0,
        )
        for row in rows
        if row.read_at is None or at - row.read_at > STALE
    ]


def _doubtful(conditions: Iterable[Condition]) -> list[NotKnown]:
    return [
        NotKnown(
            what=f"whether {c.type} still holds on {c.subject.key}", why=c.message, last_seen=c.observed_at
        )
        for c in conditions
        if c.status is Status.UNKNOWN
    ]
