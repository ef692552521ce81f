"""SXids as NVIDIA's NVSwitch driver prints them: an error, and the lines that go on telling of it.

One error is up to three records and more (common_nvswitch.h, `NVSWITCH_PRINT_SXID`):

    nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)
    nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Severity 1 Engine instance 62 Sub-engine instance 00
    nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Data {0x00000000, 0x10000000, 0x00000000}

Only the first is an event. The others say more of the last event of the same switch and code; counting them
as errors of their own is a known mistake of other monitors.
"""

import re
from functools import lru_cache

from msgspec import Struct

from sickbay.core.devices import normalise_pci

# nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, ...
_SXID = re.compile(
    r"(?P<switch>nvidia-nvswitch\d{0,3}): SXid "
    r"\((?:PCI:)?(?P<pci>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)\): "
    r"(?P<code>\d{1,6})(?:, ?(?P<rest>.*))?",
    re.ASCII | re.DOTALL,
)

# Non-fatal, Link 32 egress non-posted PRIV error (First)
# Fatal, Link 30 LTSSM Fault Up
# Fatal, unhandled interrupt in f(0)
_ERROR = re.compile(
    r"(?P<severity>Fatal|Non-fatal|Nonfatal|Correctable)(?:, ?(?P<message>.*))?", re.ASCII | re.DOTALL
)
_LINK = re.compile(r"Link (?P<link>-?\d{1,4})(?:\(\d{1,3}\))?,? ?(?P<message>.*)", re.ASCII | re.DOTALL)

# Severity 1 Engine instance 62 Sub-engine instance 00
_ENGINE = re.compile(
    r"Severity (\d{1,3}) Engine instance (\d{1,5}) Sub-engine instance (\d{1,5}) ?",
    re.ASCII,
)

# Data {0x00140004, 0x00100000, 0x00140004, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}
_DATA = re.compile(r"Data \{ ?((?:0x[0-9a-fA-F]{1,8}[, ]{0,2}){1,64})\} ?", re.ASCII)


class SxidLine(Struct, frozen=True, kw_only=True, gc=False):
    """One SXid. `pci` is the switch's, as `0000:05:00`, and `switch` is the driver's name for it.

    `severity` is the driver's word, `Fatal`, `Non-fatal` or `Correctable`, and empty where the line has none;
    `link` is the switch's own number for the port that the error is about, None where the line names none.
    `first` says that the driver knows it for the first of several errors of one cause.
    """

    pci: str
    code: int
    switch: str = ""
    severity: str = ""
    link: int | None = None
    message: str = ""
    first: bool = False


class SxidMore(Struct, frozen=True, kw_only=True, gc=False):
    """What a further line says of the last SXid of the same switch and code: never an event of its own.

    `grade` is the driver's number for the severity; `data` the words of 32 bits of one line of debug data.
    """

    pci: str
    code: int
    switch: str = ""
    grade: int | None = None
    engine: int | None = None
    sub_engine: int | None = None
    data: tuple[int, ...] = ()


@lru_cache(maxsize=256)
def read_sxid(text: str) -> SxidLine | SxidMore | None:
    """The SXid in one record's text, or what the record adds to one; None for anything else."""
    match = _SXID.fullmatch(text)
    pci = None if match is None else normalise_pci(match["pci"])
    if match is None or pci is None:
        return None
    code, switch, rest = int(match["code"]), match["switch"], match["rest"] or ""
    engine = _ENGINE.fullmatch(rest)
    if engine is not None:
        grade, unit, part = (int(number) for number in engine.groups())
        return SxidMore(pci=pci, code=code, switch=switch, grade=grade, engine=unit, sub_engine=part)
    data = _DATA.fullmatch(rest)
    if data is not None:
        words = tuple(int(word, 16) for word in data[1].replace(",", " ").split())
        return SxidMore(pci=pci, code=code, switch=switch, data=words)
    return _error(pci, code, switch, rest)


def parse_sxid(text: str) -> SxidLine | None:
    """The SXid that one record reports; None for anything else, and for lines that only go on with one."""
    line = read_sxid(text)
    return line if isinstance(line, SxidLine) else None


def _error(pci: str, code: int, switch: str, rest: str) -> SxidLine:
    said = _ERROR.fullmatch(rest)
    severity, message = ("", rest) if said is None else (said["severity"], said["message"] or "")
    message = message.rstrip()
    where = _LINK.fullmatch(message)
    link = None if where is None else int(where["link"])
    words = message if where is None else where["message"]
    return SxidLine(
        pci=pci,
        code=code,
        switch=switch,
        severity="Non-fatal" if severity == "Nonfatal" else severity,
        link=link,
        message=words.removesuffix("(First)").rstrip(),
        first=words.endswith("(First)"),
    )
