"""The one thread that writes: it takes what waits, and commits it together.

A commit costs one wait for the disk however much is in it, so under load the groups grow and the rate with
them. A batch that the database refuses takes no other batch of its group down with it.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from sickbay.coordinator.store import Batch, StoreError

_GROUP = 256
"""Batches committed together at most: bounds how long the first of them waits."""

Apply = Callable[[Connection, Batch], None]

Guard = Callable[[Connection], None]
"""Called first in every transaction that writes; raises StoreError when nothing may be written."""


@dataclass(frozen=True, slots=True)
class _Job:
    batch: Batch
    done: "Future[None]" = field(default_factory=Future)


class GroupWriter:
    """Applies batches in the order in which they came, on a thread of its own."""

    def __init__(self, engine: Engine, apply: Apply, guard: Guard) -> None:
        """`apply` writes one batch inside a transaction that it neither begins nor ends."""
        self._engine = engine
        self._apply = apply
        self._guard = guard
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def commit(self, batch: Batch) -> None:
        """Return once `batch` is safe on disk; StoreError when it could not be written."""
        if self._closed:
            raise StoreError("the store is closed")
        job = _Job(batch)
        self._jobs.put(job)
        await asyncio.wrap_future(job.done)

    def close(self) -> None:
        """Write what waits, then end. Blocks for that long."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            group, ends = self._waiting()
            if group:
                self._write(group)
            if ends:
                return

    def _waiting(self) -> tuple[list[_Job], bool]:
        """At least one job, and whatever came meanwhile; and whether it was the last."""
        job = self._jobs.get()
        group: list[_Job] = []
        while job is not None:
            # A caller that has given up is not waiting for the effect that this would journal.
            if job.done.set_running_or_notify_cancel():
                group.append(job)
            if len(group) >= _GROUP or self._jobs.empty():
                return group, False
            job = self._jobs.get()
        return group, True

    def _write(self, group: Sequence[_Job]) -> None:
        try:
            self._apply_all(group)
        except StoreError as refusal:
            for job in group:
                job.done.set_exception(refusal)
            return
        except SQLAlchemyError as error:
            if len(group) == 1:
                group[0].done.set_exception(_translated(error))
                return
            for job in group:
                self._write([job])
            return
        for job in group:
            job.done.set_result(None)

    def _apply_all(self, group: Sequence[_Job]) -> None:
        with self._engine.begin() as connection:
            self._guard(connection)
            for job in group:
                self._apply(connection, job.batch)


def _translated(error: SQLAlchemyError) -> StoreError:
    said = StoreError(f"the store could not be written: {getattr(error, 'orig', None) or error}")
    said.__cause__ = error
    return said
