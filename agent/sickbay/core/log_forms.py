"""The forms in which people have kernel lines: raw records, dmesg, the journal, syslog files."""

import re

from sickbay.core.kernel_records import KERN, KernelRecord, parse_record

# [  171.620236] NVRM: ...   [Thu Sep 19 02:29:46 2024] NVRM: ...   <3>[  171.620236] NVRM: ...
# kern  :err   : [  171.620236] NVRM: ...                             (dmesg -x)
# 2026-06-19T14:32:07,000000+00:00 NVRM: ...                          (dmesg --time-format=iso)
_DMESG = re.compile(
    r"(?:<\d{1,3}>)?(?:kern *:\w{1,8} *: ?)?"
    r"(?:\[ {0,10}(?:\d{1,12}\.\d{1,9}|[\w :]{16,32})\]|\d{4}-\d\d-\d\dT[\d:.,]{8,18}[+-]\d\d:\d\d) ?(.*)",
    re.ASCII | re.DOTALL,
)

# Oct 06 17:59:27 balrog kernel: NVRM: ...
# 2026-06-19T14:32:07,000000+00:00 balrog kernel: NVRM: ...
# 1790428806.570394 balrog kernel: NVRM: ...
_JOURNAL = re.compile(
    r"(?:[A-Z][a-z]{2} {1,2}\d{1,2} [\d:.]{8,15}|\d{4}-\d\d-\d\d[T ][\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,12}\.\d{1,9}) [^\s:]{1,255} kernel: (.*)",
    re.ASCII | re.DOTALL,
)


def bare_text(line: str) -> str | None:
    """The kernel's own text of one line; None when the line says that it is somebody else's.

    A raw record of another facility than kern is somebody else's. A line in no known form is taken for bare
    text, which the patterns of each kind of line then accept or not.
    """
    line = line.rstrip("\n")
    record = parse_record(line.encode("utf-8", "surrogateescape"))
    if isinstance(record, KernelRecord):
        return record.text if record.facility == KERN else None
    journal = _JOURNAL.fullmatch(line)
    text = line if journal is None else journal[1]
    dmesg = _DMESG.fullmatch(text)
    return text if dmesg is None else dmesg[1]
