"""The forms in which people have kernel lines: raw records, dmesg, the journal, syslog files."""

import re

from sickbay.core.kernel_records import KERN, KernelRecord, parse_record

# [  171.620236] NVRM: ...   [Thu Sep 19 02:29:46 2024] NVRM: ...   <3>[  171.620236] NVRM: ...
# kern  :err   : [  171.620236] NVRM: ...                             (dmesg -x)
# [Sep19 02:29] NVRM: ...    [  +0.000012] NVRM: ...                  (dmesg -H, dmesg -e)
# [  171.620236][  T812] NVRM: ...    [  171.620236] [  T812] ...     (CONFIG_PRINTK_CALLER: console, dmesg)
# 2026-06-19T14:32:07,000000+00:00 NVRM: ...                          (dmesg --time-format=iso)
# A priority of 8 and more (dmesg -r) is another facility's, and then the whole line is nobody's we know.
_DMESG = re.compile(
    r"(?:<[0-7]>)?(?:kern *:\w{1,8} *: ?)?"
    r"(?:\[ {0,10}(?:\d{1,12}\.\d{1,9}|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
    r"|[A-Z][a-z]{2}[ \d]\d \d\d:\d\d|\+\d{1,9}\.\d{1,9})\](?: ?\[ {0,8}[TC]\d{1,8}\])?"
    r"|\d{4}-\d\d-\d\dT[\d:.,]{8,18}[+-]\d\d:\d\d) ?(.*)",
    re.ASCII | re.DOTALL,
)

# <3>NVRM: ...                                                       (dmesg -r without printk.time)
_PRIORITY = re.compile(r"<[0-7]>(.*)", re.DOTALL)

# Oct 06 17:59:27 balrog kernel: NVRM: ...
# Fri 2026-06-19 14:32:07 UTC balrog kernel: NVRM: ...                (journalctl -o short-full)
# 2026-06-19T14:32:07,000000+00:00 balrog kernel: NVRM: ...
# 1790428806.570394 balrog kernel: NVRM: ...
# [  171.620236] balrog kernel: NVRM: ...                             (journalctl -o short-monotonic)
# Oct  6 17:59:27 balrog kern.warn kernel: [  171.620236] NVRM: ...   (busybox syslogd)
# Oct  6 17:59:27 balrog kernel:[  171.620236] NVRM: ...              (older syslogds)
_JOURNAL = re.compile(
    r"(?:[A-Z][a-z]{2} {1,2}\d{1,2} [\d:.]{8,15}|\d{4}-\d\d-\d\d[T ][\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)?"
    r"|[A-Z][a-z]{2} \d{4}-\d\d-\d\d [\d:.]{8,15} [A-Z+-][\w:]{0,8}"
    r"|\d{1,12}\.\d{1,9}|\[ {0,10}\d{1,12}\.\d{1,9}\]) [^\s:]{1,255} "
    r"(?:kern\.[a-z]{3,7} )?kernel:(?: |(?=\[))(.*)",
    re.ASCII | re.DOTALL,
)


def bare_text(line: str) -> str | None:
    """The kernel's own text of one line; None when the line says that it is somebody else's.

    A raw record of another facility than kern is somebody else's. A line in no known form is taken for bare
    text, which the patterns of each kind of line then accept or not.
    """
    line = line.rstrip("\r\n")
    record = parse_record(line.encode("utf-8", "surrogateescape"))
    if isinstance(record, KernelRecord):
        return record.text if record.facility == KERN else None
    journal = _JOURNAL.fullmatch(line)
    text = line if journal is None else journal[1]
    form = _DMESG.fullmatch(text) or _PRIORITY.fullmatch(text)
    return text if form is None else form[1]
