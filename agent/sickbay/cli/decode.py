"""`sickbay decode`: what lines of a kernel log say, without a driver, an agent or a coordinator."""

import sys
from collections.abc import Iterable, Iterator
from typing import Protocol, cast

import click

from sickbay.cli.kernel_facts import Fact, Reader
from sickbay.cli.options import examples
from sickbay.cli.output import EXIT_FAILED, fail, painted
from sickbay.core.rules import RuleSet

_CHUNK = 1 << 16
_LONGEST = 1 << 20
"""Bytes of a line that are looked at; the kernel's own lines have about a thousand."""


class _Chunks(Protocol):
    """What standard input offers beneath its text; typeshed's BinaryIO leaves `read1` out."""

    def read1(self, size: int, /) -> bytes:
        """What is there, waiting only when there is nothing; empty at the end."""
        ...


_OBJECT = """\b
With -o json each line gives one object:
  line         its number, from 1
  kind         xid, sxid, gpu_lost, pcie_error, nvme_error, ...; or none
  code         the Xid or SXid
  pci          domain:bus:device in lower case
  gpu_instance, compute_instance
               those of MIG
  link         of an NVLink, -1 for the whole GPU; of a switch, its port
  name         in NVIDIA's words, or the kernel's
  severity     the driver's own word where the line has one, else that of
               the gravest rule: info, warning, critical, fatal
  class        application, secondary, hardware, fabric, informational,
               unused, unknown
  action       NVIDIA's immediate action; NONE: there is nothing to do,
               UNKNOWN: NVIDIA does not say
  caused_by    the Xid that the line itself names as its cause
  rules        built-in rules that this line alone would match; some of
               them want several such lines

`none` is a line that is no fact of its own: another program's, a record of another facility, a near miss, \
and each line that only goes on with another. A GPU lost at probe time, which the driver tells in a sentence \
over several lines, counts on the last of them; an SXid on its first.

Exit codes: 0, the lines were read, whatever they say; 1, they could not be; 2, a wrong option.

"""


@click.command(
    epilog=_OBJECT
    + examples(
        "dmesg | sickbay decode",
        "journalctl -k -b -1 -o short-iso | sickbay decode",
        'sickbay decode "NVRM: Xid (PCI:0000:1b:00): 79, GPU has fallen off the bus."',
        "dmesg -w | sickbay decode -o json | jq 'select(.kind != \"none\")'",
        "sickbay decode --driver 570.124.06 < nvlink.log",
    )
)
@click.argument("lines", nargs=-1)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or one JSON object a line.",
)
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Let the table show lines of standard input that say nothing, too.",
)
@click.option(
    "--driver",
    metavar="VERSION",
    default="",
    help="The driver that printed the lines, e.g. 570.124.06: registers of NVLink 5 changed with R575.",
)
def decode(*, lines: tuple[str, ...], form: str, everything: bool, driver: str) -> None:
    """What kernel lines say: Xids, SXids, lost GPUs, PCIe, memory, disks and more.

    LINES are taken as arguments, or else from standard input (`-` says so), in any of these forms: dmesg
    (plain, -T, -x, -r, -H, iso), the journal or a syslog file, raw records of /dev/kmsg, or the bare text.
    Nobody is asked: the patterns, NVIDIA's catalogue and the built-in rules come with this command.
    """
    reader = Reader(_builtin_rules, driver_version=driver)
    if form == "json":
        for numbered in _batches(lines):
            click.echo(
                "".join(f'{{"line": {number}, {reader.read(line).json}\n' for number, line in numbered),
                nl=False,
            )
        return
    _table(reader, _batches(lines), everything=everything or bool(lines))


def _table(reader: Reader, batches: Iterable[list[tuple[int, str]]], *, everything: bool) -> None:
    """Rows as they come; the widths are fixed, so that nothing waits for the last line."""
    looked_at = shown = 0
    for numbered in batches:
        rows: list[str] = []
        for number, line in numbered:
            fact = reader.read(line)
            looked_at += 1
            if fact.kind != "none" or everything:
                rows.append(_row(number, fact))
        if rows and not shown:
            click.echo(_HEAD, nl=False)
        shown += len(rows)
        click.echo("".join(rows), nl=False)
    if not shown:
        click.echo(f"nothing that we know of in {looked_at} lines", err=True)


_HEAD = f"{'LINE':>7}  {'WHAT':<18}  {'WHERE':<18}  {'SEVERITY':<10}  {'CLASS':<13}  {'ACTION':<20}  NAME\n"
_INDENT = " " * 9


def _row(number: int, fact: Fact) -> str:
    """One line of the log, with what else there is to say of it below."""
    what = fact.kind if fact.code is None else f"{fact.kind} {fact.code}"
    severity = fact.severity or "-"
    padding = " " * max(10 - len(severity), 0)
    head = (
        f"{number:>7}  {what:<18}  {_where(fact):<18}  {painted(severity)}{padding}  "
        f"{fact.klass or '-':<13}  {fact.action or '-':<20}  {fact.name or '-'}"
    )
    below = (
        f"caused by Xid {fact.caused_by}" if fact.caused_by is not None else "",
        fact.note,
        f"rules: {', '.join(fact.rules)}" if fact.rules else "",
    )
    return "\n".join((head, *(_INDENT + text for text in below if text))) + "\n"


def _where(fact: Fact) -> str:
    instances = [
        f"{letter}{number}"
        for letter, number in (("gi", fact.gpu_instance), ("ci", fact.compute_instance), ("link ", fact.link))
        if number is not None
    ]
    return " ".join((fact.pci or "-", *instances))


def _builtin_rules() -> RuleSet:
    """CEL and YAML cost a fifth of a second, which a log without any fault need not pay."""
    from sickbay.core.problems import RefusedError  # noqa: PLC0415 - as above
    from sickbay.host.rule_files import load_rules  # noqa: PLC0415 - as above

    try:
        return load_rules().rules
    except RefusedError as error:
        fail(f"the built-in rules cannot be read: {error}", code=EXIT_FAILED)


def _batches(lines: tuple[str, ...]) -> Iterator[list[tuple[int, str]]]:
    """Numbered lines, those together that can be had without waiting."""
    if lines and lines != ("-",):
        texts = [text for argument in lines for text in argument.splitlines() or [""]]
        yield list(enumerate(texts, start=1))
        return
    if sys.stdin is None:
        fail("standard input is closed, and no line was given as an argument", code=EXIT_FAILED)
    if sys.stdin.isatty():
        click.echo("reading lines from the terminal; end with Ctrl-D", err=True)
    number = 0
    try:
        for batch in _read(cast("_Chunks", sys.stdin.buffer)):
            texts = [raw.decode("utf-8", "backslashreplace") for raw in batch]
            yield list(enumerate(texts, start=number + 1))
            number += len(texts)
    except OSError as error:
        fail(f"standard input cannot be read: {error.strerror}", code=EXIT_FAILED)


def _read(stream: _Chunks) -> Iterator[list[bytes]]:
    """Whole lines as they arrive: a log that is followed is decoded at once, and a long one quickly."""
    rest = b""
    while chunk := stream.read1(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[:_LONGEST]
        if whole:
            yield whole
    if rest:
        yield [rest]
