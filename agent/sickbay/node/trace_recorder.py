"""A trace of this agent: every look of the rules, so that a replay says exactly what they said live.

Off unless configured. A spool keeps readings that say something new, which is enough to try rules on a month;
a trace keeps all of them, which is what it takes to follow a fault reading by reading. It is written in
pieces, off the loop, into two files of bounded size: the one that is named, and the one before it. Each
begins with what the rules knew then, so that either can be replayed alone.
"""

import gzip
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sickbay.core.conditions import Condition
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.history import About, Began, HistoryEntry, Learnt, Looked, Told
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.rule_state import EngineState
from sickbay.core.signals import Signal
from sickbay.host.blocking import in_thread
from sickbay.host.clock import Clock
from sickbay.host.trace_files import head_of, line_of

_LOG = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two pieces; what was not written when the agent is killed is lost, and no more."""

MOST_WAITING = 16 << 20
"""Bytes that may wait for the disk. With more the trace ends, as one with a hole would prove nothing."""

_WITHIN = 60.0


class TraceRecorder:
    """Hears the judge's looks on the loop, and writes them in `run`. `trouble`: why it ended, if it did."""

    def __init__(self, path: Path, *, max_bytes: int, node: NodeName, version: str) -> None:
        """`max_bytes`: of both files together; a file may be larger by one piece."""
        self._path = path
        self._most = max_bytes // 2
        self._node = node
        self._head = head_of(About(source=str(node), version=version, nodes=(node,), every_look=True))
        self._parts = [bytearray()]
        self._facts = NO_FACTS
        self._is_full = False
        self._told_trouble = False
        self.trouble = ""

    def began(self, now: Instant, boot_id: BootId, facts: Facts, state: EngineState) -> None:
        """This process is about to take up `state`, as an earlier one left it."""
        self._begin_file(Began(node=self._node, now=now, boot_id=boot_id, facts=facts, state=state))

    def looked(self, now: Instant, signals: Sequence[Signal], facts: Facts, state: EngineState) -> None:
        """The rules, which know `state`, are about to judge these signals."""
        if self._is_full:
            self._is_full = False
            boot = state.boot_id
            self._begin_file(
                Began(node=self._node, now=now, boot_id=boot, facts=facts, state=state, goes_on=True)
            )
        if facts != self._facts:
            self._facts = facts
            self._note(Learnt(node=self._node, now=now, facts=facts))
        self._note(Looked(node=self._node, now=now, signals=tuple(signals)))

    def told(self, now: Instant, changed: Sequence[Condition]) -> None:
        """The rules said this."""
        for condition in changed:
            self._note(Told(node=self._node, now=now, condition=condition))

    async def run(self, clock: Clock, on_trouble: Callable[[str], None]) -> None:
        """Write a piece now and then. A disk that refuses ends the trace, not the agent."""
        while True:
            await clock.sleep(EVERY)
            await self.flush()
            if self.trouble and not self._told_trouble:
                self._told_trouble = True
                _LOG.error("the trace has ended: %s", self.trouble)
                on_trouble(f"the trace has ended: {self.trouble}")

    async def flush(self) -> None:
        """Write what waits."""
        parts, self._parts = self._parts, [bytearray()]
        if self.trouble or not any(parts):
            return
        try:
            size = await in_thread(lambda: self._write(parts), deadline=_WITHIN, name="trace")
        except OSError as error:
            self.trouble = str(error) or f"the disk did not answer within {_WITHIN:g} s"
        else:
            self._is_full = self._is_full or size >= self._most

    def _begin_file(self, begun: Began) -> None:
        self._facts = begun.facts
        self._parts.append(bytearray(self._head))
        self._note(begun)

    def _note(self, entry: HistoryEntry) -> None:
        if self.trouble:
            return
        self._parts[-1] += line_of(entry)
        if sum(map(len, self._parts)) > MOST_WAITING:
            self.trouble = f"more than {MOST_WAITING >> 20} MiB waited for the disk"
            self._parts = [bytearray()]

    def _write(self, parts: Sequence[bytearray]) -> int:
        """Append the first part, and begin a file with each further one; the bytes of the file at hand."""
        for number, part in enumerate(parts):
            if number and self._path.exists():
                self._path.replace(before(self._path))
            if part:
                piece = gzip.compress(part) if self._path.suffix == ".gz" else bytes(part)
                with self._path.open("ab") as file:
                    file.write(piece)
        return self._path.stat().st_size


def before(path: Path) -> Path:
    """The file before the one at hand: `trace.1.jsonl.gz` of `trace.jsonl.gz`."""
    first, dot, rest = path.name.partition(".")
    return path.with_name(f"{first}.1{dot}{rest}")
