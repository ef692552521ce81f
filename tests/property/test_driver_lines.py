"""A line rendered in any form of NVIDIA's drivers is read back; whatever else there is, nothing crashes."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.cli.kernel_facts import NOTHING, Reader
from sickbay.core import log_forms, sxid_lines, xid_74
from sickbay.core.nvlink5 import decode
from sickbay.core.rules import NO_RULES
from sickbay.core.sxid_lines import SxidLine, SxidMore, read_sxid
from sickbay.core.xid_74 import parse_link_error
from sickbay.core.xid_lines import NvLink5, XidLine, parse_xid

words32 = st.integers(0, 2**32 - 1)
slots = st.builds(
    lambda domain, bus, device: f"{domain:04x}:{bus:02x}:{device:02x}",
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    st.integers(0, 0x1F),
)
names = st.text(alphabet="abcXYZ019_:. /-", min_size=1, max_size=15).map(str.strip).filter(bool)
links = st.builds(
    NvLink5,
    unit=st.sampled_from(
        ["NETIR_LINK_EVT", "TLW_RX/TLW_RX_PIPE0", "MSE Degraded", "RLW_SRC_TRACK", "UNIT9/B2"]
    ),
    severity=st.sampled_from(["Fatal", "Nonfatal", "Link Fatal"]),
    cross_contained=st.booleans(),
    injected=st.booleans(),
    link=st.integers(-1, 71),
    registers=st.lists(words32, min_size=2, max_size=7).map(tuple),
)


def rendered(link: NvLink5, *, padded: bool, spaces: int) -> str:
    number = f"{link.link:02d}" if padded else f"{link.link}"
    gap = " " * spaces
    return (
        f"{link.unit}{gap}{link.severity}{gap}XC{int(link.cross_contained)} i{int(link.injected)} "
        f"Link {number} ({' '.join(f'0x{word:08x}' for word in link.registers)})"
    )


@st.composite
def xid_lines(draw: st.DrawFn) -> tuple[str, XidLine]:
    """A line in one of the driver's forms, and what it says."""
    slot, code = draw(slots), draw(st.integers(0, 99_999))
    gpu = draw(st.none() | st.integers(0, 14))
    compute = draw(st.none() | st.integers(0, 7)) if gpu is not None else None
    pid = draw(st.none() | st.integers(1, 2**22))
    process = "" if pid is None else draw(names | st.just(""))
    link = draw(links) if 144 <= code <= 150 else None
    message = (
        rendered(link, padded=draw(st.booleans()), spaces=draw(st.integers(1, 3)))
        if link
        else draw(st.sampled_from(["", "Ch 0000000a, intr 10000000", "GPU has fallen off the bus."]))
    )
    where = ("PCI:" if draw(st.booleans()) else "") + slot
    where += "" if gpu is None else f" GPU-I:{gpu:02d}"
    where += "" if compute is None else f" GPU-CI:{compute:02d}"
    told = draw(st.sampled_from(["plain", "bracket"]))
    who = _who(pid, process, told, unknown=draw(st.booleans()))
    text = f"NVRM: Xid ({where}): {code}"
    text += f", {who}{message}" if who or message else ""
    return text, XidLine(
        pci=slot,
        code=code,
        message=message,
        gpu_instance=gpu,
        compute_instance=compute,
        pid=pid,
        process=process,
        nvlink=link,
    )


def _who(pid: int | None, process: str, form: str, *, unknown: bool) -> str:
    if pid is None:
        return "pid='<unknown>', name=<unknown>, " if unknown else ""
    if form == "bracket":
        return f"[pid={pid}, name={process or '<unknown>'}] "
    return f"pid={pid}, name={process or '<unknown>'}, "


@given(xid_lines())
def test_a_rendered_xid_is_read_back(case: tuple[str, XidLine]) -> None:
    text, line = case
    assert parse_xid(text) == line


@given(xid_lines(), st.integers(0, 10**6))
def test_a_rendered_xid_says_the_same_in_every_form_of_a_log(case: tuple[str, XidLine], at: int) -> None:
    text, line = case
    reader = Reader(lambda: NO_RULES)
    fact = reader.read(text)
    assert (fact.kind, fact.code, fact.pci) == ("xid", line.code, line.pci)
    forms = (f"[{at}.000001] {text}", f"Oct 06 17:59:27 h kernel: {text}", f"<3>[    1.5] {text}")
    assert {reader.read(form) for form in forms} == {fact}
    assert json.loads("{" + fact.json)["code"] == line.code


@given(
    slot=slots,
    code=st.integers(0, 999_999),
    severity=st.sampled_from(["Fatal", "Non-fatal", "Correctable"]),
    link=st.none() | st.integers(0, 127),
    first=st.booleans(),
    number=st.integers(0, 17),
)
def test_a_rendered_sxid_is_read_back(
    *, slot: str, code: int, severity: str, link: int | None, first: bool, number: int
) -> None:
    where = "" if link is None else f"Link {link:02d} "
    told = " (First)" if first else ""
    text = f"nvidia-nvswitch{number}: SXid (PCI:{slot}.0): {code:05d}, {severity}, {where}some error{told}"
    assert read_sxid(text) == SxidLine(
        pci=slot,
        code=code,
        switch=f"nvidia-nvswitch{number}",
        severity=severity,
        link=link,
        message="some error",
        first=first,
    )


@given(slots, st.lists(words32, min_size=1, max_size=8))
def test_rendered_data_is_read_back_and_is_no_event(slot: str, data: list[int]) -> None:
    listed = ", ".join(f"0x{word:08x}" for word in data)
    more = read_sxid(f"nvidia-nvswitch0: SXid (PCI:{slot}.0): 12028, Data {{{listed}}}")
    assert isinstance(more, SxidMore)
    assert more.data == tuple(data)


@given(st.integers(140, 155), links, st.none() | st.integers(500, 700))
def test_any_registers_are_decoded_or_left_alone(code: int, link: NvLink5, branch: int | None) -> None:
    decoded = decode(code, link, branch)
    assert decoded is None or (144 <= code <= 150 and str(decoded))


pieces = st.sampled_from(
    [
        "nvidia-nvswitch3: ",
        "SXid ",
        "(PCI:0000:05:00.0): ",
        "12028",
        ", ",
        "Fatal",
        "Non-fatal",
        "Link 3 ",
        "(First)",
        "Severity 1 ",
        "Engine instance 62 ",
        "Sub-engine instance 00",
        "Data {",
        "0x1",
        "}",
        "NVRM: Xid (PCI:0000:18:00): 74, NVLink: fatal error detected on link 6(",
        "0x10000, ",
        ")",
        "NVRM: The NVIDIA GPU 0000:18:00.0 ",
        "3,1,2,-;",
        "[1.5] ",
        "kernel: ",
    ]
)
texts = st.lists(pieces | st.text(max_size=8), max_size=24).map("".join) | st.text(max_size=200)


@given(st.lists(texts, max_size=6))
def test_whatever_a_line_holds_it_is_a_fact_or_nothing(lines: list[str]) -> None:
    reader = Reader(lambda: NO_RULES)
    for line in lines:
        read_sxid(line)
        parse_link_error(line)
        fact = reader.read(line)
        assert set(json.loads("{" + fact.json)) == set(json.loads("{" + NOTHING.json))
        assert fact.kind != "none" or fact.rules == ()


PATTERNS = {
    f"{module.__name__}.{name}": pattern
    for module in (sxid_lines, xid_74, log_forms)
    for name, pattern in vars(module).items()
    if isinstance(pattern, re.Pattern)
}
UNBOUNDED = re.compile(r"\((?:[^()\\]|\\.)*[^\\](?:[*+]|\{\d*,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,\})")


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_repeats_a_repetition_without_bound(name: str) -> None:
    assert UNBOUNDED.search(PATTERNS[name].pattern) is None


HARD = [
    "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Data {" + "0x1 " * 20_000,
    "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Data {" + "0x1,,  " * 20_000 + "}",
    "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Fatal, " + "Link 1 " * 20_000,
    "NVRM: Xid (PCI:0000:18:00): 74, " + "NVLink link 6 " * 5_000,
    "NVRM: Xid (PCI:0000:18:00): 74, NVLink link 6(" + "0x1, " * 20_000,
    "[" + " " * 50_000,
    "[Thu Sep 19 02:29:46 2024]" * 5_000,
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HARD, ids=lambda text: text[:60])
def test_adversarial_text_is_read_in_time_that_grows_with_its_length(text: str) -> None:
    """A quadratic pattern would take minutes here; the suite's deadline is the only clock."""
    reader = Reader(lambda: NO_RULES)
    for cut in (text, text + text):
        reader.read(cut)
        read_sxid(cut)
        parse_link_error(cut)
