"""Short-lived commands: run to their end or to a deadline, never through a shell, their words kept in bounds.

A command that could not be started, or did not end in time, is a value of its own: a caller cannot mistake
it for an answer. `sickbay.host.children` keeps processes running; this module waits for them.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes kept of each of the two streams: `scontrol show node` of 12,500 nodes prints 12 MB."""

_PIPES = 2
_REAPING_S = 1.0
"""How long a killed command is waited for. One in D state does not die, and is left to the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A command that ended by itself. `exit_code` is negative for the signal that ended it.

    `is_cut` says that a stream was longer than the limit and that only its beginning is here.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """There is no such program: nothing happened."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.argv[0]}: no such program"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPermitted:
    """The program may not be started by us: nothing happened."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.argv[0]}: not permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """The system would not start it (no memory, no process left, not a program): nothing happened."""

    argv: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        return f"{self.argv[0]}: not started: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """It was killed at the deadline, with its whole process group: it may have done its work or not."""

    argv: tuple[str, ...]
    seconds: float
    stdout: str = ""
    stderr: str = ""

    def __str__(self) -> str:
        return f"{self.argv[0]}: no end after {self.seconds:.1f} s, killed"


CommandFailure = NotFound | NotPermitted | NotStarted | TimedOut


class CommandRunner(Protocol):
    """The edge at which a test puts its own programs."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> CommandResult | CommandFailure:
        """See `sickbay.host.commands.run`."""
        ...


@dataclass(frozen=True, slots=True)
class SystemCommands:
    """Commands of this machine."""

    output_limit: int = OUTPUT_LIMIT

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> CommandResult | CommandFailure:
        """See `sickbay.host.commands.run`."""
        call = _Call(argv=tuple(argv), output_limit=self.output_limit)
        try:
            return await call.through(deadline, env, stdin)
        except FileNotFoundError:
            return NotFound(argv=call.argv)
        except PermissionError:
            return NotPermitted(argv=call.argv)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
            return NotStarted(argv=call.argv, why=str(error))


async def run(
    argv: Sequence[str],
    *,
    deadline: float,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> CommandResult | CommandFailure:
    """Run `argv` to its end, at most `deadline` seconds, and return what it said.

    The program is looked up on the PATH of `env`, which is its whole environment; without `env` it is ours.
    It leads a session of its own, and at the deadline, or when this call is cancelled, that session's group
    gets SIGKILL. Output that goes on in a child after the program ended is waited for like the program.
    Text that is not UTF-8 keeps its bytes as backslash escapes.
    """
    return await SystemCommands().run(argv, deadline=deadline, env=env, stdin=stdin)


@dataclass(slots=True, kw_only=True)
class _Call(asyncio.SubprocessProtocol):
    """One run. The loop's own protocol is used, because its transport can be closed while a pipe is held."""

    argv: tuple[str, ...]
    output_limit: int
    _streams: dict[int, bytearray] = field(default_factory=lambda: {1: bytearray(), 2: bytearray()})
    _is_cut: bool = False
    _open_pipes: int = _PIPES
    _is_over: asyncio.Event = field(default_factory=asyncio.Event)
    _exited: asyncio.Event = field(default_factory=asyncio.Event)

    async def through(
        self, deadline: float, env: Mapping[str, str] | None, stdin: bytes
    ) -> CommandResult | TimedOut:
        """Start it, wait, and let go of everything, however this ends."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        source = asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL
        transport, _ = await loop.subprocess_exec(
            lambda: self, *self.argv, env=env, stdin=source, start_new_session=True
        )
        try:
            async with asyncio.timeout(deadline):
                _feed(transport, stdin)
                await self._is_over.wait()
        except TimeoutError:
            await self._put_down(transport.get_pid())
            return self._timed_out(loop.time() - started)
        except asyncio.CancelledError:
            _kill_group(transport.get_pid())
            raise
        finally:
            transport.close()
        return self._result(transport.get_returncode(), loop.time() - started)

    async def _put_down(self, pid: int) -> None:
        _kill_group(pid)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REAPING_S):
                await self._exited.wait()

    def _result(self, code: int | None, seconds: float) -> CommandResult:
        return CommandResult(
            argv=self.argv,
            exit_code=-signal.SIGKILL if code is None else code,
            stdout=self._text(1),
            stderr=self._text(2),
            seconds=seconds,
            is_cut=self._is_cut,
        )

    def _timed_out(self, seconds: float) -> TimedOut:
        return TimedOut(argv=self.argv, seconds=seconds, stdout=self._text(1), stderr=self._text(2))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what there is room for; the rest is read and dropped, so that the program is not held up."""
        kept = self._streams[fd]
        room = self.output_limit - len(kept)
        kept += data[:room]
        self._is_cut = self._is_cut or len(data) > room

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """A stream ended, or (stdin) nobody reads it any more."""
        if fd in self._streams:
            self._open_pipes -= 1
            self._look_for_the_end()

    def process_exited(self) -> None:
        """The program itself ended; a child of it may still hold a stream."""
        self._exited.set()
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if self._exited.is_set() and self._open_pipes == 0:
            self._is_over.set()

    def _text(self, fd: int) -> str:
        return self._streams[fd].decode(errors="backslashreplace")


def _feed(transport: asyncio.SubprocessTransport, data: bytes) -> None:
    """Write all of `data` and close; a program that does not read it is no error."""
    pipe = transport.get_pipe_transport(0)
    if isinstance(pipe, asyncio.WriteTransport):
        pipe.write(data)
        pipe.write_eof()


def _kill_group(pid: int) -> None:
    """The program led its group, so the group's id stays its own for as long as a member lives."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
