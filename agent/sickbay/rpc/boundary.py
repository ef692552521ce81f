"""The edge between our code and whoever calls it over the wire.

One of the two places that may catch everything: a bug behind one call must not end the server for all others,
and a caller is told an id to ask about, not a stack of ours.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError

from sickbay.rpc.questions import NotFound, Refused

_LOG = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

S = TypeVar("S")
Q = TypeVar("Q")
R = TypeVar("R")


class Malformed(ValueError):  # noqa: N818 - beside Refused and NotFound, a word for what happened
    """The caller sent what the contract has no place for; `str()` says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ends: gRPC's status, and the sentence that goes with it."""

    code: grpc.StatusCode
    why: str


def answered(method: Callable[[S, Q], Awaitable[R]]) -> Callable[[S, Q, Context], Coroutine[Any, Any, R]]:
    """A unary handler from a method that takes a request and returns a response, or raises."""

    @wraps(method)
    async def handler(service: S, request: Q, context: Context) -> R:
        try:
            return await method(service, request)
        except Exception as error:  # noqa: BLE001 - the RPC boundary, see the module's docstring
            return await end(context, ending(error, method.__name__))

    return handler


def ending(error: Exception, what: str) -> Ending:
    """What the caller is told of an error; one that nobody foresaw is logged here, once, with its stack."""
    match error:
        case NotFound():
            return Ending(code=grpc.StatusCode.NOT_FOUND, why=str(error))
        case Refused():
            return Ending(code=grpc.StatusCode.FAILED_PRECONDITION, why=str(error))
        case Malformed():
            return Ending(code=grpc.StatusCode.INVALID_ARGUMENT, why=str(error))
        case DecodeError():
            return Ending(
                code=grpc.StatusCode.INVALID_ARGUMENT, why=f"{what}: not a message of this contract"
            )
        case _:
            ident = logged(what, error)
            return Ending(
                code=grpc.StatusCode.INTERNAL, why=f"{what} failed inside; see error {ident} in the log"
            )


def logged(what: str, error: BaseException) -> str:
    """Log the error once with its stack; returns the id under which it can be found."""
    ident = uuid4().hex[:8]
    _LOG.error("%s failed (error %s)", what, ident, exc_info=error)
    return ident


async def end(context: Context, how: Ending) -> NoReturn:
    """End the call with a status. It raises gRPC's own AbortError, which must reach gRPC again."""
    await context.abort(how.code, how.why)
    raise AssertionError("context.abort always raises")
