"""The agent's side of NVML: sweeps that always answer, whatever a driver call does.

A call past its deadline costs its GPU one state, `UNRESPONSIVE`, and the other GPUs one sweep: the worker is
left behind and a successor starts that never touches that GPU. One GPU at a time is tried again, alone, in a
worker of its own.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sickbay.core.outcomes import Outcome
from sickbay.host.clock import Clock
from sickbay.host.nvml import sweeping
from sickbay.host.nvml.cadence import USUAL, Cadence
from sickbay.host.nvml.catalogue import GROUPS, describe_code
from sickbay.host.nvml.exclusions import Backoff, Cause, Exclusions
from sickbay.host.nvml.hang_watch import Deadlines
from sickbay.host.nvml.learnt import Learnt
from sickbay.host.nvml.left_behind import LeftBehind
from sickbay.host.nvml.messages import Deaf, Started, Swept
from sickbay.host.nvml.probation import probe
from sickbay.host.nvml.readings import GpuState, GpuSweep, Hang, NvmlEvent, Sweep, Unavailable
from sickbay.host.nvml.roll import Roll
from sickbay.host.nvml.worker_process import HungError, Notice, RefusedError, WorkerGoneError, WorkerProcess

_RELEASED_WITHIN = 5.0
_CLOSED_WITHIN = 1.0
_EVENT_HANGS = 2
"""So many hung waits for events in a row, and events are done without until the client begins afresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmlSettings:
    """How NVML is watched; times in seconds.

    `command` starts a worker; two descriptors are added to it. `restart` paces successors, `probation` the
    tries of a GPU that is left out. While `most_left_behind` workers hang in the driver no more are started.
    `relearn_every` is how often the driver is asked again what it once refused for good. `interval` is how
    far apart sweeps are meant to be, from which follows what is due in each (see cadence.py).
    """

    command: Sequence[str] = (sys.executable, "-m", "sickbay.host.nvml.worker")
    deadlines: Deadlines = field(default_factory=Deadlines)
    restart: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=60.0))
    probation: Backoff = field(default_factory=lambda: Backoff(first=60.0, longest=3600.0))
    most_left_behind: int = 4
    relearn_every: float = 3600.0
    interval: float = USUAL


class NvmlClient:
    """Implements NvmlSource over a worker process. One task at a time may sweep; others wait for it."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: NvmlSettings,
        on_event: Callable[[NvmlEvent], None],
        known: Iterable[str] = (),
    ) -> None:
        """`known` are the PCI addresses (`0000:1b:00`) of the GPUs that the host had when last seen well."""
        self._clock = clock
        self._settings = settings
        self._on_event = on_event
        self._roll = Roll.of(known)
        self._out = Exclusions(backoff=settings.probation)
        self._left = LeftBehind()
        self._sweeping = asyncio.Lock()
        self._worker: WorkerProcess | None = None
        self._started: Started | None = None
        self._searched = self._stale = self._closed = False
        self._cadence = Cadence(interval=settings.interval)
        self._answering: frozenset[str] | None = None
        self._learnt = Learnt()
        self._relearn_at = self._next_start = 0.0
        self._failures = self._event_hangs = 0
        self._released_until: float | None = None
        self._last_failure = self._deafness = ""
        self._probing: asyncio.Task[None] | None = None

    async def sweep(self, *, everything: bool = False) -> Sweep:
        """Read of every GPU what is due, or everything. Never raises for what a driver does.

        No call is waited for past its deadline: an answer that is not `complete` comes as soon as a call
        hangs, and the next one has the other GPUs.
        """
        async with self._sweeping:
            if everything:
                self._cadence = self._cadence.afresh()
            sweep = await self._sweep()
        self._try_one_again()
        return sweep

    def leave_out(self, pci: str, because: str) -> None:
        """Touch this GPU no more. The worker that holds its handle is replaced before the next sweep."""
        if pci not in self._out:
            self._exclude(pci, Cause.TOLD, because)

    async def release(self, seconds: float) -> Outcome:
        """Let go of the driver. UNKNOWN when a worker that hangs in it may still hold it."""
        self._released_until = self._now() + seconds
        await self._stop_probing()
        async with self._sweeping:
            self._part()
            gone = await self._left.gone(self._clock, within=_RELEASED_WITHIN)
        if gone:
            return Outcome.done("no process of the agent holds the driver")
        return Outcome.unknown(f"{self._left.running()} workers hang in the driver and may hold it")

    async def resume(self) -> None:
        """Take the driver again at the next sweep, with every GPU."""
        self._begin_afresh()

    async def close(self) -> None:
        """No more workers. Waits a moment for those that can go."""
        self._closed = True
        await self._stop_probing()
        self._part()
        await self._left.gone(self._clock, within=_CLOSED_WITHIN)

    # One sweep.

    async def _sweep(self) -> Sweep:
        unavailable = self._in_the_way()
        if unavailable is not None:
            return self._nothing(GpuState.UNSEEN, unavailable.reason, unavailable=unavailable)
        targets: list[str] = []
        due = frozenset(GROUPS)
        try:
            worker = await self._ready()
            targets = [target for target in self._roll.targets if target not in self._out]
            relearn = self._is_time_to_relearn()
            due = self._cadence.due(self._now())
            answer = await worker.sweep(
                targets,
                groups=sorted(due),
                events=self._event_hangs < _EVENT_HANGS,
                relearn=relearn,
            )
        except WorkerGoneError as error:
            return self._broken_off(error, targets, due)
        self._failures = 0
        self._cadence = self._cadence.after(due, self._now())
        sweep = self._absorb(answer, due)
        self._look_at_events(worker)
        return sweep

    def _in_the_way(self) -> Unavailable | None:
        now = self._now()
        if self._closed:
            return Unavailable(reason="the client is closed", retry_in=float("inf"))
        if self._released_until is not None and now < self._released_until:
            return Unavailable(reason="released to another user", retry_in=self._released_until - now)
        if self._released_until is not None:
            self._begin_afresh()
        if self._worker is None and now < self._next_start:
            return Unavailable(reason=self._last_failure, retry_in=self._next_start - now)
        hanging = self._left.running()
        if self._worker is None and hanging >= self._settings.most_left_behind:
            reason = f"{hanging} workers hang in the driver; no more are started until one ends"
            return Unavailable(reason=reason, retry_in=self._settings.restart.longest)
        return None

    async def _ready(self) -> WorkerProcess:
        if self._stale:
            self._part()
        if self._worker is None:
            self._worker = self._spawn(self._take_notice)
        if self._started is None:
            self._started = await self._worker.started()
            self._roll = self._roll.counted(self._started.count)
            self._searched = False
            self._relearn_at = self._now() + self._settings.relearn_every
            self._cadence = self._cadence.afresh()
        return self._worker

    def _is_time_to_relearn(self) -> bool:
        now = self._now()
        if now < self._relearn_at:
            return False
        self._relearn_at = now + self._settings.relearn_every
        self._cadence = self._cadence.afresh()
        return True

    def _absorb(self, answer: Swept, due: frozenset[str]) -> Sweep:
        self._roll = self._roll.learn(answer.gpus)
        asked = {gpu.pci or gpu.target: gpu for gpu in answer.gpus}
        self._learnt = self._learnt.after(answer.gpus)
        gpus = sweeping.muster(
            self._roll,
            self._out,
            asked=asked,
            otherwise=GpuState.MISSED,
            because="taken back just now",
            learnt=self._learnt,
        )
        for target, gpu in asked.items():
            if sweeping.state_of(gpu.code) is GpuState.LOST and target not in self._out:
                self._exclude(target, Cause.LOST, describe_code(gpu.code))
        self._search_for_more(answer, gpus)
        self._notice_changes(gpus)
        return self._as_sweep(gpus, groups=due, answer=answer)

    def _notice_changes(self, gpus: Sequence[GpuSweep]) -> None:
        # Of a GPU that has come nothing is known, and of one that has gone nothing may stay known: the next
        # sweep is about every group.
        answering = frozenset(gpu.pci for gpu in gpus if gpu.state is GpuState.READ)
        if answering != self._answering:
            self._cadence = self._cadence if self._answering is None else self._cadence.afresh()
            self._answering = answering

    def _search_for_more(self, answer: Swept, gpus: Sequence[GpuSweep]) -> None:
        # The driver lists more GPUs than were asked for: one has turned up. Opening by index could touch a
        # GPU that is left out, so while any is, it waits.
        here = sum(gpu.state is not GpuState.ABSENT for gpu in gpus)
        if (
            answer.count is not None
            and answer.count > here
            and not self._out.by_target
            and not self._searched
        ):
            self._searched = True
            self._roll = self._roll.searching(answer.count)

    # What goes wrong.

    def _broken_off(self, error: WorkerGoneError, targets: Sequence[str], due: frozenset[str]) -> Sweep:
        in_start = self._started is None
        because = error.detail
        if isinstance(error, RefusedError):
            because = f"{error.call} returned {describe_code(error.code)}"
        self._give_up(because, at_once=not in_start)
        if error.look is not None and error.look.gpu is not None and error.look.gpu < len(targets):
            self._blame(targets[error.look.gpu], error)
        self._spawn_successor()
        if in_start:
            retry_in = max(0.0, self._next_start - self._now())
            unavailable = Unavailable(reason=because, retry_in=retry_in)
            return self._nothing(GpuState.UNSEEN, because, unavailable=unavailable)
        return self._nothing(GpuState.MISSED, because, groups=due, broken_off=because)

    def _give_up(self, because: str, *, at_once: bool) -> None:
        # A worker that once worked is followed at once; a second failure in a row is waited for.
        if self._worker is not None:
            self._left.abandon(self._worker)
        self._worker = self._started = None
        self._stale = False
        self._last_failure = because
        self._failures += 1
        wait = self._settings.restart.after(self._failures - 1 if at_once else self._failures)
        self._next_start = self._now() + wait

    def _blame(self, target: str, error: WorkerGoneError) -> None:
        if isinstance(error, HungError):
            hang = Hang(call=error.call, waited=error.waited)
            self._exclude(target, Cause.HUNG, error.detail, hang=hang)
        else:
            self._exclude(target, Cause.CRASHED, error.detail)

    def _exclude(self, target: str, cause: Cause, because: str, *, hang: Hang | None = None) -> None:
        self._out = self._out.leave_out(target, cause=cause, because=because, now=self._now(), hang=hang)
        self._stale = self._worker is not None

    def _spawn_successor(self) -> None:
        # Ahead of the next sweep, so that it finds the driver initialised.
        if self._in_the_way() is None:
            try:
                self._worker = self._spawn(self._take_notice)
            except WorkerGoneError as error:
                self._give_up(error.detail, at_once=False)

    def _look_at_events(self, worker: WorkerProcess) -> None:
        hang = worker.events_hang()
        if hang is not None:
            self._event_hangs += 1
            self._deafness = hang.detail
            self._give_up(hang.detail, at_once=True)

    # Other workers.

    def _spawn(self, on_notice: Callable[[Notice], None] | None = None) -> WorkerProcess:
        settings = self._settings
        return WorkerProcess(
            settings.command, clock=self._clock, deadlines=settings.deadlines, on_notice=on_notice
        )

    def _part(self) -> None:
        if self._worker is not None:
            self._left.part(self._worker)
        self._worker = self._started = None
        self._stale = False

    def _begin_afresh(self) -> None:
        self._released_until = None
        self._out = self._out.clear()
        self._failures = self._event_hangs = 0
        self._next_start = 0.0
        self._deafness = ""
        self._learnt = Learnt()

    def _try_one_again(self) -> None:
        busy = self._probing is not None and not self._probing.done()
        due = self._out.due(self._now())
        full = self._left.running() >= self._settings.most_left_behind
        if due is not None and self._started is not None and not busy and not full:
            self._probing = asyncio.ensure_future(self._probe(due.target))

    async def _probe(self, target: str) -> None:
        finding = await probe(target, spawn=self._spawn, left=self._left, groups=GROUPS)
        self._out = finding.applied_to(self._out, self._now())

    async def _stop_probing(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait({self._probing})

    # What is told.

    def _take_notice(self, notice: Notice) -> None:
        if isinstance(notice, Deaf):
            self._deafness = f"the driver's wait returned {describe_code(notice.code)}"
            return
        self._event_hangs = 0
        self._deafness = ""
        self._on_event(sweeping.event_of(notice, now=self._clock.now(), roll=self._roll))

    def _nothing(
        self,
        state: GpuState,
        because: str,
        *,
        groups: frozenset[str] = frozenset(GROUPS),
        unavailable: Unavailable | None = None,
        broken_off: str = "",
    ) -> Sweep:
        gpus = sweeping.muster(self._roll, self._out, otherwise=state, because=because, learnt=self._learnt)
        return self._as_sweep(gpus, groups=groups, unavailable=unavailable, broken_off=broken_off)

    def _as_sweep(
        self,
        gpus: tuple[GpuSweep, ...],
        *,
        groups: frozenset[str],
        answer: Swept | None = None,
        unavailable: Unavailable | None = None,
        broken_off: str = "",
    ) -> Sweep:
        return Sweep(
            at=self._clock.now(),
            gpus=gpus,
            count=answer.count if answer is not None else None,
            driver_version=self._started.driver if self._started is not None else "",
            nvml_version=self._started.nvml if self._started is not None else "",
            unavailable=unavailable,
            broken_off=broken_off,
            deaf=self._deafness,
            calls=sweeping.latencies(answer.calls) if answer is not None else {},
            groups=groups,
        )

    def _now(self) -> float:
        return self._clock.now().mono
