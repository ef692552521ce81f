"""Whatever bytes a kernel log may hold: nothing raises, nothing is lost unsaid, no forgery counts."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sickbay.core import gpu_lost_lines, log_forms, xid_lines
from sickbay.core.devices import Inventory
from sickbay.core.gpu_lost_lines import follow_probe, parse_gpu_lost
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import (
    Interest,
    KernelRecord,
    LogGap,
    Repeated,
    UnknownRecord,
    escape,
    parse_record,
    sift,
    unescape,
)
from sickbay.core.signals import is_declared
from sickbay.core.xid_lines import decode_text, parse_xid
from sickbay.core.xids import lookup
from sickbay.monitors.kernel_log import KernelLogState, observe
from sickbay.monitors.xid import Seen

ALL = Interest(starts=(b"",))
SEEN = Seen(boot_id=BootId("b"), now=Instant(mono=1e9, wall=2e9), inventory=Inventory())

pieces = st.sampled_from(
    [
        "NVRM: ",
        "Xid ",
        "(PCI:0000:18:00)",
        " GPU-I:01",
        ": ",
        "79",
        "149",
        "154",
        ", ",
        "pid=",
        "'",
        "[",
        "]",
        "name=",
        "GPU recovery action changed from 0x0 (None) to 0x1 (",
        "NETIR Fatal XC0 i0 Link ",
        "(0x00000001 ",
        "0x2)",
        " caused by previous Xid 48",
        "NVRM: The NVIDIA GPU 0000:18:00.0 ",
        "installed in this system has ",
        "fallen off the bus",
        "\n",
        "9,1,1,-;",
        "\\x0a",
    ],
)
driver_like = st.lists(pieces | st.text(max_size=8), max_size=24).map("".join)
texts = driver_like | st.text(max_size=200)


@given(st.binary(max_size=400) | driver_like.map(lambda text: f"3,7,99,-;{text}\n".encode()))
def test_any_bytes_are_a_record_or_are_kept(raw: bytes):
    record = parse_record(raw, after=5)
    if isinstance(record, UnknownRecord):
        assert (record.raw, record.after) == (raw, 5)
    else:
        assert record.sequence >= 0


@given(texts)
def test_any_text_survives_the_kernels_escapes(text: str):
    record = parse_record(b"3,7,99,-;" + escape(text) + b"\n")
    assert isinstance(record, KernelRecord)
    assert record.text == text


@given(st.binary(max_size=200))
def test_undoing_escapes_never_raises(data: bytes):
    unescape(data)


@given(texts)
@example("NVRM: Xid (PCI:0000:18:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.")
def test_any_line_is_decoded_or_is_nothing(text: str):
    decode_text(text)
    parse_gpu_lost(text)
    follow_probe(None, text)
    line = parse_xid(text)
    if line is not None:
        assert text.startswith("NVRM: Xid (")
        assert re.fullmatch(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}", line.pci)
        assert lookup(line.code).code == line.code


@given(st.lists(texts, max_size=12), st.sampled_from([0, 1]))
def test_any_records_become_declared_signals_that_say_whether_they_are_real(lines: list[str], facility: int):
    records = [
        KernelRecord(facility=facility, level=3, sequence=number, usec=number, text=text)
        for number, text in enumerate(lines)
    ]
    for signal in observe(KernelLogState(), records, SEEN).signals:
        assert is_declared(signal)
        assert signal.synthetic == (facility == 1)


@given(steps=st.lists(st.integers(0, 40), max_size=30), start=st.integers(0, 20), before=st.booleans())
def test_every_sequence_is_seen_once_or_counted_as_lost(*, steps: list[int], start: int, before: bool):
    sequence, raws = 0, []
    for step in steps:
        sequence += step
        raws.append(f"3,{sequence},1,-;x {sequence}\n".encode())
        sequence += 1
    sifted = sift(raws, next_sequence=start, interest=ALL, before_start=before)
    accounted = list[int]()
    for entry in sifted.entries:
        if isinstance(entry, LogGap):
            accounted.extend(range(entry.first, entry.first + entry.lost))
        elif isinstance(entry, KernelRecord):
            accounted.append(entry.sequence)
    assert accounted == list(range(start, max(start, sifted.next_sequence)))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 700_000)), max_size=40), st.integers(1, 10))
def test_however_equal_records_are_drawn_together_each_is_counted_once(
    lines: list[tuple[str, int]],
    size: int,
):
    usec, raws = 0, []
    for sequence, (text, step) in enumerate(lines):
        usec += step
        raws.append(f"3,{sequence},{usec},-;{text}\n".encode())
    counts, expected = {"a": 0, "b": 0}, 0
    for at in range(0, len(raws), size):
        sifted = sift(raws[at : at + size], next_sequence=expected, interest=ALL)
        expected = sifted.next_sequence
        for entry in sifted.entries:
            if isinstance(entry, KernelRecord):
                counts[entry.text] += 1
            elif isinstance(entry, Repeated):
                counts[entry.record.text] += entry.times
    assert counts == {text: [line for line, _ in lines].count(text) for text in "ab"}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 10))
def test_how_records_are_batched_changes_nothing(steps: list[int], size: int):
    sequence, raws = 0, []
    for step in steps:
        sequence += step + 1
        raws.append(f"3,{sequence},1,-;x {sequence}\n".encode())
    whole = sift(raws, next_sequence=0, interest=ALL)
    parts, expected = [], 0
    for at in range(0, len(raws), size):
        part = sift(raws[at : at + size], next_sequence=expected, interest=ALL)
        parts.extend(part.entries)
        expected = part.next_sequence
    assert (tuple(parts), expected) == (whole.entries, whole.next_sequence)


@given(facility=st.integers(1, 23), text=texts, accept=st.booleans())
def test_nothing_of_another_facility_counts_unless_injection_was_asked_for(
    *,
    facility: int,
    text: str,
    accept: bool,
):
    raw = f"{facility << 3 | 3},0,1,-;".encode() + escape(text) + b"\n"
    kept = sift([raw], next_sequence=0, interest=ALL, accept_injected=accept).entries
    if kept:
        (record,) = kept
        assert accept
        assert isinstance(record, KernelRecord)
        assert record.is_injected


PATTERNS = {
    f"{module.__name__}.{name}": pattern
    for module in (xid_lines, gpu_lost_lines, log_forms)
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}
UNBOUNDED = re.compile(r"\((?:[^()\\]|\\.)*[^\\](?:[*+]|\{\d*,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,\})")


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_repeats_a_repetition_without_bound(name: str):
    """Nested unbounded repetition is what makes a pattern's time explode; bounded ones cannot."""
    assert UNBOUNDED.search(PATTERNS[name].pattern) is None


HARD = [
    "NVRM: Xid (PCI:0000:18:00" + " GPU-I:01" * 5000,
    "NVRM: Xid (PCI:0000:18:00): 149, " + "NETIR " * 5000,
    "NVRM: Xid (PCI:0000:18:00): 149, NETIR " + " " * 50_000 + "X",
    "NVRM: Xid (PCI:0000:18:00): 149, NETIR Fatal XC0 i0 Link 1 (" + "0x1 " * 10_000,
    "NVRM: Xid (PCI:0000:18:00): 45, " + " caused by previous Xid 1" * 5000 + "!",
    "NVRM: Xid (PCI:0000:18:00): 13, pid=1, name=" + "a" * 50_000,
    "NVRM: Xid (PCI:0000:18:00): 13, pid=" + "'" * 50_000,
    "NVRM: Xid (PCI:0000:18:00): 13, [pid=1, name=" + "[" * 50_000,
    "NVRM: Xid (PCI:0000:18:00): 13, [pid=1, name=a" + ", " * 50_000,
    "NVRM: The NVIDIA GPU 0000:18:00.0 " + "installed " * 5000,
    "Oct 06 17:59:27 " + "a" * 50_000 + " kernel: ",
    "[" + " " * 50_000,
    "kern" + " " * 50_000,
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HARD, ids=lambda text: text[:60])
def test_adversarial_text_is_read_in_time_that_grows_with_its_length(text: str):
    """A quadratic pattern would take minutes here; the suite's deadline is the only clock."""
    for cut in (text, text + text, text + string.printable):
        decode_text(cut)
        follow_probe(None, cut)
