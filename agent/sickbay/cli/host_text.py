"""A host's report as lines for people: sane in 80 columns, and without colour."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from sickbay.cli.host_report import GpuRow, HostReport, NotKnown, Wrong
from sickbay.cli.output import columns, painted, when
from sickbay.core.host_views import HostView
from sickbay.core.instants import format_duration
from sickbay.core.signals import FieldValue, Signal

_UNKNOWN = "?"
_WIDTH = 80
_JOB = 14
_NAME = 18


def host_lines(
    view: HostView, report: HostReport, *, everything: bool, doing: Sequence[str] = ()
) -> list[str]:
    """The whole report. `doing` is what a coordinator says it does; `everything` shows what is well, too."""
    return [
        *_head(view),
        "",
        *gpu_lines(report.gpus, view.inventory.driver_version),
        "",
        *wrong_lines(report.wrong, at=view.at),
        *_titled("What the coordinator does", [line for each in doing for line in _indented(each)]),
        *_titled("Not known", _unknown_lines(report.not_known, view.at)),
        *(_everything(view) if everything else ()),
    ]


def _head(view: HostView) -> list[str]:
    return [
        f"{view.node}: {painted(view.health.value)}: {view.summary}",
        *wrap(
            f"as of {when(view.at)}, boot {view.boot_id}, NVML {view.inventory.nvml}, {_link(view)}", _WIDTH
        ),
    ]


def _link(view: HostView) -> str:
    if not view.coordinator:
        return "no coordinator configured"
    link = "connected to" if view.coordinator_connected else "NOT connected to"
    kept = f", {view.spooled_events} events wait here" if view.spooled_events else ""
    return f"{link} coordinator {view.coordinator}{kept}"


def gpu_lines(rows: Sequence[GpuRow], driver: str = "") -> list[str]:
    """A row a GPU. The name stands above where all are of one, and in a column where they are not."""
    if not rows:
        return ["no GPUs: the driver shows none, or could not be asked"]
    names = {row.name for row in rows if row.name}
    title = f"{len(rows)} GPUs" if len(rows) > 1 else "1 GPU"
    alike = f", {names.copy().pop()}" if len(names) == 1 else ""
    head = ["SLOT", "PCI", "UUID", "TEMP", "POWER", "ECC C/U", "LINKS", "JOB", "STATE"]
    cells = [_gpu_cells(row) for row in rows]
    if len(names) > 1:
        head.insert(3, "NAME")
        for row, line in zip(rows, cells, strict=True):
            line.insert(3, _short_name(row.name))
    return [f"{title}{alike}{f', driver {driver}' if driver else ''}", *columns(head, cells)]


def _gpu_cells(row: GpuRow) -> list[str]:
    return [
        str(row.slot),
        row.pci or _UNKNOWN,
        _short_uuid(row.uuid),
        _with_unit(row.temperature, "C"),
        _with_unit(row.power, "W"),
        f"{_word(row.ecc_corrected)}/{_word(row.ecc_uncorrected)}",
        f"{_word(row.nvlinks_active)}/{_word(row.nvlinks)}",
        _job(row),
        painted(row.state),
    ]


def _short_uuid(uuid: str) -> str:
    return uuid.removeprefix("GPU-")[:8] or _UNKNOWN


def _short_name(name: str) -> str:
    return name.removeprefix("NVIDIA ")[:_NAME] or _UNKNOWN


def _job(row: GpuRow) -> str:
    """The jobs, or how many processes there are of none; a dash for an idle GPU."""
    if row.processes is None:
        return _UNKNOWN
    if row.processes == 0:
        return "-"
    jobs = str(row.jobs or f"{row.processes} processes").replace("slurm:", "job ")
    return jobs if len(jobs) <= _JOB else f"{jobs[: _JOB - 1]}+"


def _with_unit(value: FieldValue, unit: str) -> str:
    return f"{round(value)}{unit}" if isinstance(value, (int, float)) else _UNKNOWN


def _word(value: FieldValue) -> str:
    return _UNKNOWN if value is None else str(value)


def wrong_lines(wrong: Sequence[Wrong], *, at: float) -> list[str]:
    """Each condition with its evidence, what NVIDIA recommends and what comes next. `at` in Unix seconds."""
    if not wrong:
        return ["no conditions: nothing is wrong that any rule knows"]
    return [line for each in wrong for line in _wrong_lines(each, at)]


def _wrong_lines(each: Wrong, at: float) -> list[str]:
    doubt = "" if each.status == "True" else " (may hold: unknown)"
    drill = " [synthetic]" if each.synthetic else ""
    times = f", {each.occurrences} times" if each.occurrences > 1 else ""
    ago = f" ({format_duration(max(at - each.since, 0.0))} ago)" if at else ""
    return [
        f"{painted(each.severity)} {each.type} {each.reason} on {each.part}{doubt}{drill}",
        f"  since {when(each.since)}{ago}{times}",
        *_indented(each.evidence),
        *(_indented(f"NVIDIA: {each.nvidia}") if each.nvidia else ()),
        *_indented(f"next: {each.next}"),
        *(_indented(f"clears: {each.clears}") if each.clears else ()),
        *(_indented(f"runbook: {each.runbook}") if each.runbook else ()),
    ]


def _indented(text: str) -> list[str]:
    return wrap(
        text,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or ["  "]


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *lines] if lines else []


def _unknown_lines(unknown: Iterable[NotKnown], at: float) -> list[str]:
    lines = []
    for each in unknown:
        ago = f"{format_duration(max(at - each.last_seen, 0.0))} ago" if each.last_seen else "never"
        lines += _indented(f"{each.what}: {each.why} (last seen {ago})")
    return lines


def _everything(view: HostView) -> list[str]:
    """Every monitor and every reading: what is well, in the words of the catalogue of signals."""
    lines = ["", "Monitors:"]
    for each in view.monitors:
        sees = "sees" if each.healthy else "cannot see"
        lines += _indented(f"{each.name} {sees}, last at {when(each.last_success)}")
    lines += ["", "Readings:"]
    for signal in sorted(view.readings, key=lambda each: (each.subject.key, each.kind)):
        age = f"{format_duration(max(view.at - signal.at.wall, 0.0))} ago"
        lines += _indented(f"{signal.subject.key} {signal.kind} ({age}): {_fields(signal)}")
    return lines


def _fields(signal: Signal) -> str:
    return " ".join(f"{name}={_said(value)}" for name, value in signal.fields.items())


def _said(value: FieldValue) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else (str(value) or "none")
