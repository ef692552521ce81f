"""Blocking calls for commands: one answer or one sentence, within seconds."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

import grpc

from sickbay.rpc.questions import NotFound, Refused, Unreachable

Q = TypeVar("Q")
R = TypeVar("R")

# A command is a guest on somebody's shell: no proxy of theirs is meant for us, and a list of 12,500 nodes is
# larger than gRPC's usual limit.
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
)

_NOBODY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}


class Calling:
    """A connection to one address, and the translation of gRPC's errors into ours."""

    def __init__(self, target: str, *, whom: str, remedy: str, timeout: float) -> None:
        """`whom` and `remedy` are for the sentence when nobody answers; `timeout` in seconds."""
        self._where = target.removeprefix("unix:")
        self._whom = whom
        self._remedy = remedy
        self._timeout = timeout
        self._channel = grpc.insecure_channel(target, options=_OPTIONS)

    def __enter__(self) -> Self:
        """The connection itself; it is dialled by the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the connection."""
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def _ask(self, method: "grpc.UnaryUnaryMultiCallable[Q, R]", request: Q, *, patience: float = 1.0) -> R:
        """The answer to one call, waited for `patience` times the usual."""
        seconds = self._timeout * patience
        try:
            return method(request, timeout=seconds)
        except grpc.RpcError as error:
            raise self._translated(error, seconds) from error

    def _follow(self, method: "grpc.UnaryStreamMultiCallable[Q, R]", request: Q) -> Iterator[R]:
        """The answers of one call, for as long as they come."""
        try:
            yield from method(request, wait_for_ready=False)
        except grpc.RpcError as error:
            raise self._translated(error, self._timeout) from error

    def _translated(self, error: grpc.RpcError, seconds: float) -> Exception:
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self._unreachable(f"no answer within {seconds:g} s")
        if code in _NOBODY:
            return self._unreachable(_last_words(details))
        if code is grpc.StatusCode.NOT_FOUND:
            return NotFound(details)
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return Refused(f"the {self._whom} at {self._where} is older than this command: {details}")
        return Refused(details or code.name)

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(f"no {self._whom} answers at {self._where} ({why}); {self._remedy}")


def _last_words(details: str) -> str:
    """The end of gRPC's chain of causes: `...: connect: Connection refused (111)`."""
    return details.rpartition(": ")[2] or "no connection"
