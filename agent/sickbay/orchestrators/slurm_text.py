"""What `scontrol` and `squeue` print, read strictly: pure functions from text to values.

The text form is read, because it is the only one that 20.11 to 25.x share: `scontrol show node --json` is
missing in 22.05. A word that is not known here makes the whole node unknown and keeps its raw text, because
a state that was added later may mean that somebody else is at work on the node.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Job

# NodeName=n1 Arch=x86_64 … State=MIXED+DRAIN ThreadsPerCore=1 …
#   Reason=sickbay:i:r : reboot issued [root@2026-11-24T00:24:19] Comment=hello State=IDLE x Extra=zz
# State stands before every text that a person can write (Reason, Comment, Extra), so the first one counts.
_NODE = re.compile(r"NodeName=(\S+) (.*)")
_STATE = re.compile(r" State=(\S+)(?: |$)")
_REASON = re.compile(r" Reason=(.*?) \[([^\[\]\s]+)@([^\[\]\s]+)\]")

# State=MIXED+DRAIN and State=IDLE+NOT_RESPONDING since 21.08, State=DOWN*+DRAIN and State=IDLE# before it
_WORD = re.compile(r"([A-Z_]+)([*~#!%$@^\-]*)")

SUFFIXES: Mapping[str, str] = {
    "*": "NOT_RESPONDING",
    "~": "POWERED_DOWN",
    "#": "POWERING_UP",
    "!": "POWERING_DOWN_SOON",
    "%": "POWERING_DOWN",
    "$": "MAINTENANCE",
    "@": "REBOOT_REQUESTED",
    "^": "REBOOT_ISSUED",
    "-": "PLANNED",
}
"""The signs of https://slurm.schedmd.com/sinfo.html#SECTION_NODE-STATE-CODES, as the words of 21.08."""

BASES = frozenset({"ALLOCATED", "DOWN", "ERROR", "FUTURE", "IDLE", "MIXED", "UNKNOWN"})
"""The base states of slurm.h `enum node_states`; a node has exactly one of them."""

FLAGS = frozenset(
    {
        *SUFFIXES.values(),
        "BLOCKED",
        "CLOUD",
        "COMPLETING",
        "DRAIN",
        "DYNAMIC_FUTURE",
        "DYNAMIC_NORM",
        "FAIL",
        "INVALID_REG",
        "NOT_RESPONDING",
        "PERFCTRS",
        "POWER_DOWN",
        "POWER_UP",
        "POWER_DRAIN",
        "REBOOT_CANCELED",
        "RESERVED",
        "UNDRAIN",
    }
)
"""The flags of slurm.h `NODE_STATE_*` in the words of `node_state_flag_string` (slurm_protocol_defs.c)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One node's line. `base` is empty, and `words` hold what is not known, when the state is not understood.

    `reason` is without its bracket; `by` and `since` are what stood in it: a user, and a time in the zone of
    the machine that printed it.
    """

    node: NodeName
    state: str
    base: str
    flags: frozenset[str]
    unknown_words: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""
    since: str = ""


def parse_nodes(text: str) -> Mapping[NodeName, NodeRecord]:
    """The records in the output of `scontrol -o show node`, by name; lines that are no record are left out.

    A node that is left out was not seen: `Node nope not found`, on standard output, is the usual such line.
    """
    # Not splitlines(): a reason may hold characters that Python, but not scontrol, takes for a line's end.
    records = (_parse_node(line) for line in text.split("\n"))
    return {record.node: record for record in records if record is not None}


def _parse_node(line: str) -> NodeRecord | None:
    named = _NODE.match(line)
    state = _STATE.search(line)
    if named is None or state is None:
        return None
    base, flags, unknown = split_state(state.group(1))
    reason = _REASON.search(line, state.end() - 1)
    words, by, since = reason.groups() if reason is not None else ("", "", "")
    return NodeRecord(
        node=NodeName(named.group(1)),
        state=state.group(1),
        base=base,
        flags=flags,
        unknown_words=unknown,
        reason=words,
        by=by,
        since=since,
    )


def split_state(state: str) -> tuple[str, frozenset[str], tuple[str, ...]]:
    """(base, flags, words not known) of `IDLE+DRAIN`, `DOWN*+DRAIN` and their like."""
    words: list[str] = []
    for part in state.split("+"):
        match = _WORD.fullmatch(part)
        words += [part] if match is None else [match.group(1), *(SUFFIXES[sign] for sign in match.group(2))]
    bases = [word for word in words if word in BASES]
    unknown = tuple(word for word in words if word not in BASES | FLAGS)
    if len(bases) != 1:
        return "", frozenset(words) & FLAGS, unknown or (state,)
    return bases[0], frozenset(words) & FLAGS, unknown


JOB_FORMAT = "%A|%u|%T|%N"
"""For `squeue -o`: id, user, state, nodes. Not the name: its owner may put a line's end into it."""

JOB_STATES = "CONFIGURING,COMPLETING,RUNNING,RESIZING,SIGNALING,STAGE_OUT,STOPPED,SUSPENDED"
"""For `squeue -t`: every state in which a job has, or may still have, processes on a node."""


def parse_jobs(text: str) -> tuple[Job, ...]:
    """The jobs that `squeue -h -o JOB_FORMAT` lists.

    Raises:
        ValueError: for a line of another form, quoted: then nobody can say which jobs there are.
    """
    return tuple(_parse_job(line) for line in text.split("\n") if line.strip())


def _parse_job(line: str) -> Job:
    # As printed for a job on two nodes: 1|root|RUNNING|n[1-2]
    fields = line.split("|")
    if len(fields) != 4 or not fields[0].isdigit():  # noqa: PLR2004 - the fields of JOB_FORMAT
        raise ValueError(f"squeue printed {line!r}; expected {JOB_FORMAT}")
    ident, user, state, nodes = fields
    return Job(id=ident, user=user, state=state, nodes=expand(nodes))


def expand(hostlist: str) -> tuple[NodeName, ...]:
    """The names in a hostlist such as `n1`, `gpu[01-03,7],login` or `r[1-2]n[1-2]`, in its order.

    Raises:
        ValueError: for a list that is not one, quoted.
    """
    return tuple(NodeName(name) for part in _split_list(hostlist) for name in _expand_part(part))


def _split_list(hostlist: str) -> list[str]:
    """The parts between the commas that stand outside of brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", hostlist) if part]


_BRACKET = re.compile(r"([^\[\]]*)\[([0-9,\-]+)\](.*)")


def _expand_part(part: str) -> list[str]:
    match = _BRACKET.fullmatch(part)
    if match is None:
        if "[" in part or "]" in part:
            raise ValueError(f"{part!r} is not a hostlist; expected a form such as gpu[01-03,7]")
        return [part]
    head, ranges, tail = match.groups()
    tails = _expand_part(tail)
    return [
        f"{head}{number}{end}" for each in ranges.split(",") for number in _numbers(each) for end in tails
    ]


def _numbers(text: str) -> list[str]:
    """`01-03` counts 01, 02, 03: as wide as it is written."""
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise ValueError(f"{text!r} is not a range of a hostlist; expected a form such as 01-03")
    return [f"{n:0{len(first)}d}" for n in range(int(first), int(last or first) + 1)]
