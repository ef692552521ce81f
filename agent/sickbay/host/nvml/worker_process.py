"""One worker as the agent sees it: started, asked, watched, and left behind when it hangs.

Never joined: a process in uninterruptible sleep does not end, and whoever waits for it does not either.
"""

import asyncio
import os
import signal
import socket
import subprocess  # noqa: TID251 - the NVML worker's client is one of the modules that start processes
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sickbay.host.clock import Clock
from sickbay.host.nvml import framing
from sickbay.host.nvml.hang_watch import Deadlines, HangWatch, Look
from sickbay.host.nvml.messages import Broken, Deaf, Failed, Happened, Started, Swept, decode
from sickbay.host.nvml.slot import EVENTS, SIZE, SWEEP, Slot, map_slots

LOOK_EVERY_S = 0.2
"""How often the slot is looked at while an answer is owed."""

_EXIT_LOOK_EVERY_S = 0.01
_EXIT_LOOKS = 50

_DRIVER_FAULTS = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP},
)

Notice = Happened | Deaf


class WorkerGoneError(Exception):
    """The worker cannot be used any more. `call` and `gpu` (a position) say what it was doing, if known."""

    def __init__(self, detail: str, *, look: Look | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.look = look


class HungError(WorkerGoneError):
    """A driver call passed its deadline, `waited` seconds ago begun."""

    def __init__(self, look: Look, waited: float) -> None:
        super().__init__(f"{look.call} has not returned for {waited:.1f} s", look=look)
        self.call = look.call
        self.waited = waited


class RefusedError(WorkerGoneError):
    """NVML could not be initialised; `code` is its return code."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call} returned {code}")
        self.call = call
        self.code = code


class WorkerProcess:
    """A started worker, with at most one request outstanding. WorkerGoneError when it cannot be started."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        clock: Clock,
        deadlines: Deadlines,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        self._clock = clock
        self._deadlines = deadlines
        self._on_notice = on_notice
        self._answers: asyncio.Queue[Started | Failed | Swept | WorkerGoneError] = asyncio.Queue()
        self._event_watch = HangWatch(deadlines)
        self._request = 0
        self._busy_at = 0.0
        slots = os.memfd_create("sickbay-nvml-slots")
        ours, theirs = socket.socketpair()
        try:
            os.ftruncate(slots, SIZE)
            self._memory = map_slots(slots)
            self._process = _spawn(command, theirs.fileno(), slots)
        except OSError as error:
            ours.close()
            raise WorkerGoneError(f"the worker could not be started: {error}") from error
        finally:
            os.close(slots)
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._listening = asyncio.ensure_future(self._listen())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def started(self) -> Started:
        """Wait until NVML is initialised. RefusedError, HungError or WorkerGoneError when it will not be."""
        answer = await self._answer()
        if isinstance(answer, Failed):
            raise RefusedError(answer.call, answer.code)
        if not isinstance(answer, Started):
            raise WorkerGoneError("the worker answered before it was asked")
        return answer

    async def sweep(
        self,
        targets: Sequence[str],
        *,
        groups: Sequence[str],
        events: bool,
        relearn: bool = False,
    ) -> Swept:
        """Ask for one sweep. HungError or WorkerGoneError when no answer comes."""
        self._request += 1
        self._send(
            {
                "do": "sweep",
                "id": self._request,
                "gpus": list(targets),
                "groups": list(groups),
                "events": events,
                "relearn": relearn,
            },
        )
        answer = await self._answer()
        while isinstance(answer, Swept) and answer.id < self._request:
            answer = await self._answer()  # to a request that nobody waits for any more
        if not isinstance(answer, Swept) or answer.id != self._request:
            raise WorkerGoneError("the worker answered something that it was not asked")
        if len(answer.gpus) != len(targets):
            raise WorkerGoneError(f"{len(targets)} GPUs were asked for, {len(answer.gpus)} answered")
        return answer

    def events_hang(self) -> HungError | None:
        """Look at the thread that waits for events: hung, or as it should be. Costs a read of memory."""
        look = Look.of(Slot(self._memory, EVENTS).read())
        waited = self._event_watch.see(look, self._clock.now().mono)
        return None if waited is None or look is None else HungError(look, waited)

    def leave(self) -> None:
        """Ask it to go and listen to it no more. Returns at once, whatever it does."""
        with suppress(OSError):
            self._socket.sendall(framing.encode({"do": "stop"}))
        self._part()

    def abandon(self) -> None:
        """Send SIGTERM and let it be. Not SIGKILL: that, during a GPU reset, can wedge the GPU's firmware."""
        self._part()
        if self._process.poll() is None:
            self._process.terminate()

    def is_running(self) -> bool:
        """Whether it still exists; reaps it if it does not. Never blocks."""
        return self._process.poll() is None

    def _part(self) -> None:
        self._listening.cancel()
        self._socket.close()

    def _send(self, request: Mapping[str, object]) -> None:
        try:
            self._socket.sendall(framing.encode(request))
        except OSError as error:
            raise self._gone(f"the request could not be sent: {error.strerror}") from error

    async def _answer(self) -> Started | Failed | Swept:
        watch = HangWatch(self._deadlines)
        self._busy_at = self._clock.now().mono
        waiting = asyncio.ensure_future(self._answers.get())
        try:
            while not (await asyncio.wait({waiting}, timeout=LOOK_EVERY_S))[0]:
                self._look(watch)
        finally:
            waiting.cancel()
        answer = waiting.result()
        if isinstance(answer, WorkerGoneError):
            raise answer
        return answer

    def _look(self, watch: HangWatch) -> None:
        now = self._clock.now().mono
        look = Look.of(Slot(self._memory, SWEEP).read())
        waited = watch.see(look, now)
        if waited is not None and look is not None:
            raise HungError(look, waited)
        if look is not None:
            self._busy_at = now
        elif now - self._busy_at > self._deadlines.silence:
            raise WorkerGoneError(f"the worker has done nothing for {now - self._busy_at:.0f} s")

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=self._socket)
        try:
            while True:
                head = await reader.readexactly(framing.LENGTH.size)
                message = decode(await reader.readexactly(framing.body_length(head)))
                if isinstance(message, Broken):
                    self._answers.put_nowait(WorkerGoneError(f"the worker failed: {message.text}"))
                elif isinstance(message, Happened | Deaf):
                    if self._on_notice is not None:
                        self._on_notice(message)
                else:
                    self._answers.put_nowait(message)
        except (asyncio.IncompleteReadError, OSError):
            await self._wait_for_exit()
            self._answers.put_nowait(self._gone("the worker has ended"))
        except framing.BrokenFrameError as error:
            self._answers.put_nowait(WorkerGoneError(str(error)))
        finally:
            writer.close()

    async def _wait_for_exit(self) -> None:
        # Its end of the socket closes a moment before its exit status is there to be read.
        for _ in range(_EXIT_LOOKS):
            if not self.is_running():
                return
            await self._clock.sleep(_EXIT_LOOK_EVERY_S)

    def _gone(self, detail: str) -> WorkerGoneError:
        status = self._process.poll()
        if status is None or status >= 0:
            return WorkerGoneError(detail if status is None else f"{detail} with status {status}")
        # A call that was in progress is to blame only for a fault of the driver's library: a worker that
        # somebody killed, or the kernel for want of memory, was in a call by chance.
        look = Look.of(Slot(self._memory, SWEEP).read()) if -status in _DRIVER_FAULTS else None
        in_call = f" in {look.call}" if look is not None else ""
        return WorkerGoneError(f"{detail} by signal {-status}{in_call}", look=look)


def _spawn(command: Sequence[str], peer: int, slots: int) -> "subprocess.Popen[bytes]":
    # Its output goes nowhere: an abandoned worker that held our standard error open would keep whoever reads
    # that waiting for as long as the driver holds the worker.
    return subprocess.Popen(  # noqa: S603 - the command is ours, never a shell's
        [*command, str(peer), str(slots)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(peer, slots),
    )
