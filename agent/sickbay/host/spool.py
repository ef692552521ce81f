"""The agent's memory on disk: history until it is acknowledged, the kernel log's cursor, what is open.

One thread owns the file and commits in groups, so that the loop never waits for a disk: `append` returns at
once, and what was committed comes back to the listener. While the disk refuses (full, read-only, gone) the
batches wait in memory, within a bound, and the listener is told what is in the way.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sickbay.core.devices import Inventory
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome
from sickbay.host.spool_schema import open_spool
from sickbay.host.spool_store import Batch, Limits, Restored, SpoolStore, UsedGrant

_T = TypeVar("_T")

_GROUP = 256
"""Jobs committed together at most: bounds how long the first of them waits for its commit."""

_RETRY_INTERVAL = 5.0
"""Seconds between two attempts to write while the disk refuses."""

_HELD_EVENTS = 10_000
"""Events that wait in memory for a disk that refuses: about 10 MB at most."""

_QUEUED = 5_000
"""Jobs that may wait for the thread before batches lose their events and keep only state and cursor."""

_DEADLINE = 0.8
"""Seconds that a question waits for the disk: the local API promises an answer within one."""


class SpoolUnavailableError(Exception):
    """The spool could not answer or could not keep something; `str()` says why."""


class SpoolListener(Protocol):
    """Who is told, on the loop, what the writer thread did."""

    def committed(self, events: Sequence[Event], *, depth: int, dropped: int) -> None:
        """`events` are on disk, with their sequences; `depth` wait for an acknowledgement.

        `dropped` unacknowledged ones had to go since the last call, because the spool is full.
        """
        ...

    def troubled(self, why: str) -> None:
        """The disk refuses, for this reason; empty once it takes writes again."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    """Work for the thread. A job with a batch or `lasting` is tried again until the disk takes it."""

    run: Callable[[SpoolStore], Any]
    future: "asyncio.Future[Any] | None" = None
    batch: Batch | None = None
    lasting: bool = False
    dropped: int = 0


class Spool:
    """The spool, as the loop uses it."""

    def __init__(self, path: Path, *, node: NodeName, limits: Limits, now: float) -> None:
        """Open the file; `trouble` says what had to be done about a bad one. `now` in Unix seconds."""
        opened = open_spool(path, now)
        self.path = path
        self.trouble = opened.trouble
        self._node = node
        self._limits = limits
        self._store = SpoolStore(opened.connection, node, limits)
        self._now = now
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._held: list[_Job] = []
        self._refusal = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: SpoolListener | None = None
        self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
        self._ended: asyncio.Event = asyncio.Event()

    # ---- before the thread starts --------------------------------------------------------------------

    def restored(self, boot_id: BootId) -> Restored:
        """What this boot left behind, or else the boot before."""
        try:
            return self._store.restored(boot_id)
        except sqlite3.Error as error:
            self.trouble = self.trouble or f"the spool {self.path} could not be read: {error}"
            return Restored()

    def baseline(self) -> Inventory | None:
        """What the node held when it was last seen healthy."""
        return self._store.baseline()

    def backlog(self, limit: int) -> tuple[tuple[Event, ...], int]:
        """The oldest unacknowledged events, and how many there are altogether."""
        return self._store.unacknowledged(after=0, limit=limit), self._store.depth()

    def start(self, listener: SpoolListener) -> None:
        """Begin to write. Called once, on the loop."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    # ---- on the loop ---------------------------------------------------------------------------------

    def append(self, batch: Batch, *, now: float) -> None:
        """Keep a batch, soon; never blocks. The listener hears of it once it is on disk."""
        self._now = now
        job = _appending(batch)
        # Many jobs wait only when the thread hangs in a write; memory must not pay for a dead disk.
        self._jobs.put(_without_events(job) if self._jobs.qsize() > _QUEUED else job)

    def acknowledge(self, sequence: int) -> None:
        """All events up to `sequence` are safe with the coordinator; never blocks."""
        self._jobs.put(_Job(partial(SpoolStore.acknowledge, sequence=sequence), lasting=True))

    async def unacknowledged(self, *, after: int, limit: int) -> tuple[Event, ...]:
        """The oldest `limit` events past the sequence `after` that nobody acknowledged."""
        return await self._ask(lambda store: store.unacknowledged(after=after, limit=limit))

    async def recent(self, *, since: float, limit: int) -> tuple[Event, ...]:
        """The latest `limit` events since a Unix time, oldest first."""
        return await self._ask(lambda store: store.recent(since=since, limit=limit))

    async def event(self, ident: str) -> Event | None:
        """The event of that id or sequence."""
        return await self._ask(lambda store: store.event(ident))

    async def begin(self, action: UsedGrant) -> UsedGrant | None:
        """Use a grant: None once that is on disk, else the earlier use. Nothing may be done before."""
        return await self._ask(lambda store: store.begin(action))

    async def conclude(self, action_id: ActionId, outcome: Outcome) -> None:
        """Record what came of an action."""
        await self._ask(lambda store: store.conclude(action_id, outcome))

    async def used(self, action_id: ActionId) -> UsedGrant | None:
        """The record of an action, or None."""
        return await self._ask(lambda store: store.used(action_id))

    async def flushed(self) -> None:
        """Return when everything given before is on disk."""
        await self._ask(lambda _store: None)

    async def close(self) -> None:
        """Write what waits and give the file back. A disk that hangs is left alone after a while."""
        if self._loop is None:
            self._store.close()  # It never started, so nothing waits and the file is ours.
            return
        self._jobs.put(None)
        try:
            async with asyncio.timeout(_DEADLINE * 2):
                await self._ended.wait()
        except TimeoutError:
            return  # The thread is a daemon: the process may end although the disk does not answer.

    async def _ask(self, run: Callable[[SpoolStore], _T]) -> _T:
        if self._refusal:
            raise SpoolUnavailableError(self._refusal)
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(run, future))
        try:
            async with asyncio.timeout(_DEADLINE):
                return await future
        except TimeoutError:
            raise SpoolUnavailableError(f"the disk did not answer within {_DEADLINE} s") from None

    # ---- on the writer thread ------------------------------------------------------------------------

    def _work(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            if group:
                self._perform(group)
        try:
            self._store.close()
        except sqlite3.Error as error:
            self._refuse(str(error))
        self._tell(self._ended.set)

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Jobs to commit together, those that wait first, and whether more may come."""
        group = list(self._held)
        self._held.clear()
        try:
            job = self._jobs.get(timeout=_RETRY_INTERVAL if group else None)
            while job is not None and len(group) < _GROUP:
                group.append(job)
                job = self._jobs.get_nowait()
        except queue.Empty:
            return group, True
        if job is not None:
            group.append(job)
        return group, job is not None

    def _perform(self, group: list[_Job]) -> None:
        try:
            self._commit(group)
        except sqlite3.OperationalError as error:
            self._hold(group, f"the spool {self.path} cannot be written: {error}")
        except sqlite3.DatabaseError as error:
            self._begin_anew(group, str(error))

    def _commit(self, group: list[_Job]) -> None:
        with self._store.transaction():
            results = [job.run(self._store) for job in group]
            dropped = self._store.trim(self._now) + sum(job.dropped for job in group)
            depth = self._store.depth()
        self._accept()
        fresh = [event for job, kept in zip(group, results, strict=True) if job.batch for event in kept]
        if fresh or dropped or any(job.lasting for job in group):
            self._report(fresh, depth, dropped)
        for job, result in zip(group, results, strict=True):
            if job.future is not None:
                self._tell(partial(_resolve, job.future, result))

    def _report(self, fresh: list[Event], depth: int, dropped: int) -> None:
        listener = self._listener
        if listener is not None:
            self._tell(partial(listener.committed, fresh, depth=depth, dropped=dropped))

    def _hold(self, group: list[_Job], why: str) -> None:
        self._refuse(why)
        for job in group:
            if job.future is not None:
                self._tell(partial(_reject, job.future, why))
        self._held = [job for job in group if job.batch or job.lasting]
        self._shed()

    def _shed(self) -> None:
        """Forget the oldest events beyond the bound; their cursor and state go on in the later batches."""
        waiting = sum(len(job.batch.events) for job in self._held if job.batch)
        for place, job in enumerate(self._held):
            if waiting <= _HELD_EVENTS:
                return
            if job.batch and job.batch.events:
                waiting -= len(job.batch.events)
                self._held[place] = _without_events(job)

    def _begin_anew(self, group: list[_Job], why: str) -> None:
        """The file went bad under our hands: move it aside and go on with a new one."""
        try:
            self._store.close()
        except sqlite3.Error:
            why = f"{why}; it could not even be closed"
        opened = open_spool(self.path, self._now)
        self._store = SpoolStore(opened.connection, self._node, self._limits)
        self._hold(group, opened.trouble or f"the spool {self.path} was damaged: {why}")

    def _refuse(self, why: str) -> None:
        if why != self._refusal:
            self._refusal = why
            if self._listener is not None:
                self._tell(partial(self._listener.troubled, why))

    def _accept(self) -> None:
        if self._refusal:
            self._refuse("")

    def _tell(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            # A loop that has closed has nobody left to tell: the process is ending.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)


def _appending(batch: Batch) -> _Job:
    return _Job(partial(SpoolStore.append, batch=batch), batch=batch)


def _without_events(job: _Job) -> _Job:
    """The same job with its cursor and state alone, counting what it lost."""
    if job.batch is None:
        return job
    return replace(_appending(replace(job.batch, events=())), dropped=job.dropped + len(job.batch.events))


def _resolve(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _reject(future: "asyncio.Future[Any]", why: str) -> None:
    if not future.done():
        future.set_exception(SpoolUnavailableError(why))
