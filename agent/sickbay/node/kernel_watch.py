"""The kernel log, from the reader to the judge: one call from a line to its condition, no queue between."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from sickbay.core.kernel_records import USER, Cursor, Entry, escape, sift
from sickbay.core.outcomes import Outcome
from sickbay.core.signals import Signal
from sickbay.host.clock import Clock
from sickbay.host.kmsg import (
    BATCH,
    Batch,
    KernelLog,
    KernelLogReader,
    KernelLogUnavailableError,
    Reading,
)
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.monitors import kernel_log, nvml_events
from sickbay.monitors.kernel_log import KernelLogState, Observed
from sickbay.monitors.xid import Seen, see_event
from sickbay.node.judge import Judge

_LOG = logging.getLogger(__name__)

GIVE_UP_ON = frozenset({79, 119, 120})
"""Xids after which a driver call into the GPU may never return: off the bus, and a dead GSP."""

_SETTLE_EVERY = 1.0
_ERROR = 3
_INJECTED = "inject"


class KernelWatch:
    """Follows the log. `leave_out` may be set to be told of GPUs that no driver call may touch any more."""

    def __init__(
        self,
        *,
        clock: Clock,
        judge: Judge,
        open_log: Callable[[Reading], KernelLog],
        cursor: Cursor | None,
        accept_injected: bool,
    ) -> None:
        """`cursor` is where an earlier process of this boot came to."""
        self._clock = clock
        self._judge = judge
        self.leave_out: Callable[[str, str], None] = _nobody_to_tell
        self._accept_injected = accept_injected
        self._boot_id = judge.status.identity.boot_id
        self._state = KernelLogState()
        self._stirred = asyncio.Event()
        # Nanoseconds of the wall clock: no number is used twice, whatever was injected before a restart, and
        # none can be the kernel's own.
        self._first_injected = int(clock.now().wall * 1e9)
        self._injected = itertools.count(self._first_injected)
        self._open_log = open_log
        self._reader = KernelLogReader(
            open_log=self._opened,
            on_batch=self._take,
            on_sight=self._see,
            clock=clock,
            cursor=cursor,
        )

    def read_once(self) -> None:
        """Take what the log holds now, and no more."""
        try:
            log = self._opened(self._reader.cursor)
            try:
                more = True
                while more:
                    batch = log.read_batch(BATCH)
                    self._take(batch)
                    more = batch.more
            finally:
                log.close()
        except KernelLogUnavailableError as error:
            self._see(str(error))
        else:
            self._see("")

    async def run(self) -> NoReturn:
        """Read until cancelled."""
        await self._reader.run()

    async def settle(self) -> NoReturn:
        """Hand on the counts of storms once a second, for as long as there is one."""
        while True:
            await self._stirred.wait()
            while not self._state.is_calm():
                await self._clock.sleep(_SETTLE_EVERY)
                observed = kernel_log.settle_counts(self._state, self._clock.now())
                self._state = observed.state
                self._pass_on(observed.signals)
            self._stirred.clear()

    def confirm(self, event: NvmlEvent) -> None:
        """An event of the driver: an Xid joins the same Xid of the kernel log, or stands for it."""
        xid = nvml_events.xid_of(event)
        if xid is None:
            self._judge.take((nvml_events.signal_of(event, self._boot_id),))
            return
        xids, signals = see_event(self._state.xids, xid, self._seen())
        self._state = replace(self._state, xids=xids)
        self._pass_on(signals)

    def inject(self, line: str) -> Outcome:
        """A line as if printed: the same bytes, filter and parser; its signals are marked synthetic."""
        if not self._accept_injected:
            return Outcome.failed("this agent does not accept injected faults (accept_injected)")
        now = self._clock.now()
        number = next(self._injected)
        raw = f"{USER << 3 | _ERROR},{number},{round(now.mono * 1e6)},-;".encode() + escape(line)
        entries = sift(
            [raw], next_sequence=number, interest=kernel_log.INTEREST, accept_injected=True
        ).entries
        observed = self._observed(entries)
        self._pass_on(observed.signals)
        if not entries or (not observed.signals and self._state.is_calm()):
            return Outcome.failed("no monitor understands this line; try `sickbay explain` on it")
        kinds = ", ".join(signal.kind for signal in observed.signals)
        return Outcome.done(f"taken as {kinds or 'one more of a storm'}")

    def _named(self, signal: Signal) -> Signal:
        """An injected line has no place in the kernel's numbering, so its event goes by another source."""
        identity = signal.identity
        if identity is None or not signal.synthetic or identity.sequence < self._first_injected:
            return signal
        return replace(signal, identity=replace(identity, source=_INJECTED), sources=(_INJECTED,))

    def _opened(self, cursor: Cursor | None) -> KernelLog:
        return self._open_log(
            Reading(
                boot_id=self._boot_id,
                interest=kernel_log.INTEREST,
                cursor=cursor,
                accept_injected=self._accept_injected,
            ),
        )

    def _take(self, batch: Batch) -> None:
        counters = self._judge.counters
        counters.kernel_records += batch.looked_at
        if not batch.entries:
            return
        observed = self._observed(batch.entries)
        if observed.unknown:
            counters.unreadable_records += len(observed.unknown)
            _LOG.warning("the kernel log held bytes that are no record: %r", observed.unknown[0].raw[:200])
        self._pass_on(observed.signals, batch.cursor)

    def _observed(self, entries: Sequence[Entry]) -> Observed:
        """What the monitors make of some entries. One that they fail on is passed over with its text."""
        try:
            observed = kernel_log.observe(self._state, entries, self._seen())
        except Exception:  # noqa: BLE001 - the monitor runner: this line would end every successor, too
            if len(entries) == 1:
                _LOG.exception("a monitor failed on %r; the line is passed over", entries[0])
                self._judge.counters.unreadable_records += 1
                return Observed(state=self._state)
            parts = [self._observed((entry,)) for entry in entries]
            observed = Observed(
                state=self._state,
                signals=tuple(signal for part in parts for signal in part.signals),
                unknown=tuple(record for part in parts for record in part.unknown),
            )
        self._state = observed.state
        return observed

    def _pass_on(self, signals: Sequence[Signal], cursor: Cursor | None = None) -> None:
        if not self._state.is_calm():
            self._stirred.set()
        if not signals:
            return
        for signal in signals:
            if _is_beyond_reach(signal):
                self.leave_out(signal.subject.pci, signal.raw)
        named = [self._named(signal) for signal in signals]
        self._judge.take(named, cursor=cursor.sequence if cursor else None)

    def _see(self, trouble: str) -> None:
        if trouble:
            _LOG.error("the kernel log cannot be read: %s; trying again", trouble)
        self._judge.take((kernel_log.sight_signal(self._clock.now(), trouble=trouble),))

    def _seen(self) -> Seen:
        return Seen(
            boot_id=self._boot_id,
            now=self._clock.now(),
            inventory=self._judge.status.known_inventory,
        )


def _nobody_to_tell(_pci: str, _because: str) -> None:
    """There is no driver to keep away from."""


def _is_beyond_reach(signal: Signal) -> bool:
    """Whether the driver had better not be asked about this GPU. An injected line stops nothing real."""
    if signal.synthetic or not signal.subject.pci:
        return False
    if signal.kind == "gpu_lost":
        return signal.fields.get("lost") is True
    return signal.kind == "xid" and signal.fields.get("code") in GIVE_UP_ON
