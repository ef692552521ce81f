"""Read rules/catalogue/ into plain rows, and refuse whatever nobody has thought about.

A word in a table that the enums of core/*_words.py do not know, a code without a class or a class without a
code, a pattern of another width: each ends the run with the file, the line and what was expected.
"""

import csv
import re
import sys
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from sickbay.core.sxid_words import SxidGrade
from sickbay.core.xid_words import ImmediateAction, InvestigatoryAction, LinkAdvice, XidClass

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "rules" / "catalogue"

IMMEDIATE = {"IGNORE": "NONE", "": "UNKNOWN"}
INVESTIGATORY = {
    "": "UNKNOWN",
    "IGNORE": "NONE",
    "IGNORE (sympathetic)": "SYMPATHETIC",
    "CHECK_APP/CUDA": "CHECK_APP_CUDA",
    "INVESTIGATE_SW/USER": "INVESTIGATE_SW_USER",
    "N/A Informational only regarding another Xid": "FOLLOW_OTHER_XID",
    "REPORT_ISSUE (if seen >1 per day)": "REPORT_IF_DAILY",
    "Solo: RESTART_FM Not Solo: IGNORE (follow other Xid)": "SOLO_RESTART_FM",
    "XID_137_FLOW": "WORKFLOW_XID_137",
}
"""The catalogue's sentences, and the word that stands for each in core/xid_words.py."""

LINK_SEVERITIES = ("Fatal", "Link Fatal", "Non-fatal")
ORIGINS = ("HW", "SW", "HW/SW", "FW", "NA")

Word = TypeVar("Word", XidClass, ImmediateAction, InvestigatoryAction, LinkAdvice, SxidGrade)

XidRow = tuple[int, str, str, str, str, str, int | None, str, str, str]
"""Code, name, class, immediate action, investigatory action, architectures, since, because, notes, source."""

Bits = tuple[int, int]
"""Mask and value: a word matches when `word & mask == value`."""

NvLink5Row = tuple[int, str, Bits, Bits, tuple[int, ...], str, tuple[Bits, Bits, str] | None, str, str, str]
"""Xid, unit, IntrInfo before and from R575, error statuses (none: any), immediate action, the second pattern
with its action, investigatory action, severity, hardware or software."""

SxidRow = tuple[int, str, str]
"""Code, name, grade."""

BitRow = tuple[int, int, str, str, str]
"""Register from 1, bit, finding, advice, note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of one file, each with the line it stands on."""

    path: Path
    rows: tuple[tuple[int, dict[str, str]], ...]

    def refuse(self, line: int, message: str) -> NoReturn:
        """End with the place and what was expected."""
        sys.exit(f"{self.path.relative_to(ROOT)}:{line}: {message}")

    def refuse_repeated(self, keys: Iterable[Hashable], what: str) -> None:
        """End where a key stands for two rows."""
        repeated = [key for key, times in Counter(keys).items() if times > 1]
        if repeated:
            self.refuse(1, f"{what} that appear twice: {repeated}")


def read(name: str) -> Table:
    """One file of the catalogue."""
    path = CATALOGUE / name
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return Table(path=path, rows=tuple((reader.line_num, row) for row in reader))


def word(kind: type[Word], text: str, table: Table, line: int) -> str:
    """The value of the enum's member of this name."""
    try:
        return str(kind(text).value)
    except ValueError:
        table.refuse(line, f"{text!r} is none of {', '.join(str(member.value) for member in kind)}")


def one_of(choices: tuple[str, ...], text: str, table: Table, line: int) -> str:
    """The text where it is one of the choices."""
    if text not in choices:
        table.refuse(line, f"{text!r} is none of {', '.join(choices)}")
    return text


def immediate(text: str, table: Table, line: int) -> str:
    """An immediate action in our word for it."""
    return word(ImmediateAction, IMMEDIATE.get(text, text), table, line)


def investigatory(text: str, table: Table, line: int) -> str:
    """An investigatory action in our word for it."""
    return word(InvestigatoryAction, INVESTIGATORY.get(text, text), table, line)


def since(text: str, table: Table, line: int) -> int | None:
    """The driver branch of `R565`; 0 where the code has always been followed by Xid 154."""
    if not text:
        return None
    if text == "since the Xid was introduced":
        return 0
    match = re.fullmatch(r"R(\d{3})", text)
    if match is None:
        table.refuse(line, f"{text!r} is no driver branch such as R565")
    return int(match[1])


def xid_rows() -> list[XidRow]:
    """One row a code, in the order of `core.xids._entry`."""
    xids, classes = read("xids.csv"), read("xid_classes.csv")
    judged = {row["xid"]: (line, row) for line, row in classes.rows}
    listed = {row["xid"] for _, row in xids.rows}
    for code, (line, _) in judged.items():
        if code not in listed:
            classes.refuse(line, f"{code} is not in xids.csv")
    rows: list[XidRow] = []
    for line, row in xids.rows:
        if row["xid"] not in judged:
            xids.refuse(line, f"{row['xid']} has no class in xid_classes.csv")
        judged_at, judgement = judged[row["xid"]]
        rows.append(
            (
                int(row["xid"]),
                row["name"],
                word(XidClass, judgement["class"], classes, judged_at),
                immediate(row["immediate_action"], xids, line),
                investigatory(row["investigatory_action"], xids, line),
                row["applies_to"],
                since(row["xid154_linked_since"], xids, line),
                judgement["because"],
                row["notes"],
                row["source"],
            ),
        )
    xids.refuse_repeated((row[0] for row in rows), "codes")
    return rows


def bits(pattern: str, table: Table, line: int) -> Bits:
    """Mask and value of a pattern of 32 digits, the highest bit first, `-` for either."""
    if re.fullmatch(r"[-01]{32}", pattern) is None:
        table.refuse(line, f"{pattern!r} is no pattern of 32 of 0, 1 and -")
    mask = int("".join("0" if digit == "-" else "1" for digit in pattern), 2)
    return mask, int(pattern.replace("-", "0"), 2)


def statuses(text: str, table: Table, line: int) -> tuple[int, ...]:
    """The error statuses of a row; none for `any`."""
    if text == "any":
        return ()
    if re.fullmatch(r"0x[0-9A-F]{8}(?:/0x[0-9A-F]{8})*", text) is None:
        table.refuse(line, f"{text!r} is neither `any` nor words such as 0x00000001")
    return tuple(int(each, 16) for each in text.split("/"))


def nvlink5_rows() -> list[NvLink5Row]:
    """One row a decode row, in the order of `core.nvlink5._Row`."""
    table = read("xids_nvlink5.csv")
    return [
        (
            int(row["xid"]),
            row["unit"],
            bits(row["intrinfo_v1"], table, line),
            bits(row["intrinfo_v2"], table, line),
            statuses(row["error_status"], table, line),
            immediate(row["immediate_action"], table, line),
            (
                bits(row["action2_intrinfo_v1"], table, line),
                bits(row["action2_intrinfo_v2"], table, line),
                immediate(row["action2"], table, line),
            )
            if row["action2"]
            else None,
            investigatory(row["investigatory_action"], table, line),
            one_of(LINK_SEVERITIES, row["severity"].rstrip("*?"), table, line),
            one_of(ORIGINS, row["hw_sw"], table, line),
        )
        for line, row in table.rows
    ]


def sxid_rows() -> list[SxidRow]:
    """One row a code of the NVSwitch driver."""
    table = read("sxids.csv")
    rows = [
        (int(row["sxid"]), row["name"], word(SxidGrade, row["class"], table, line))
        for line, row in table.rows
    ]
    table.refuse_repeated((row[0] for row in rows), "codes")
    return rows


def bit_rows() -> list[BitRow]:
    """One row a bit of the registers of Xid 74."""
    table = read("xid_74_bits.csv")
    rows = []
    for line, row in table.rows:
        register, bit = int(row["register"]), int(row["bit"])
        if not (1 <= register <= 7 and 0 <= bit <= 31):  # noqa: PLR2004 - seven registers of 32 bits
            table.refuse(line, f"register {register}, bit {bit}: there are 7 registers of 32 bits")
        rows.append(
            (register, bit, row["finding"], word(LinkAdvice, row["advice"], table, line), row["note"])
        )
    table.refuse_repeated((row[:2] for row in rows), "bits")
    return rows
