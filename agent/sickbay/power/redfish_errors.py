"""What sushy raises, as an outcome. Whether a request was sent is what decides between retry and unknown.

Messages of libraries are not passed on: they may quote requests and answers. A BMC's own words are, cut
short, and without the login in them.
"""

from collections.abc import Iterator

import requests
from sushy import exceptions as sushy
from urllib3.exceptions import NewConnectionError

from sickbay.core.outcomes import Outcome

ERRORS = (
    sushy.SushyError,
    requests.RequestException,
    ValueError,  # and what follows: an answer that is JSON, but not of the form that sushy expects
    TypeError,
    KeyError,
    AttributeError,
    OSError,
)
"""All that sushy lets through when a BMC misbehaves."""

_LONGEST = 160
_BUSY = {409, 423, 429}
_SERVER = 500


class BmcError(Exception):
    """Ends a visit to a BMC early, with what is to be said of it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


def before_sending(error: Exception, *, secrets: tuple[str, ...]) -> Outcome:
    """What to say of an error while nothing had been asked for yet."""
    match error:
        case sushy.MissingXAuthToken():
            return Outcome.failed("the BMC gives no session (login: basic is for those that have none)")
        case sushy.AccessError():
            return Outcome.failed(f"the BMC refused the login or what it may do (HTTP {error.status_code})")
        case sushy.HTTPError() if error.status_code >= _SERVER or error.status_code in _BUSY:
            return Outcome.retry(f"the BMC cannot answer now: {_said(error, secrets)}")
        case sushy.HTTPError():
            return Outcome.failed(f"the BMC refused: {_said(error, secrets)}")
        case sushy.ConnectionError() | requests.RequestException() | OSError():
            return _no_connection(error)
        case _:
            return Outcome.failed(f"the BMC's answer is not understood ({type(error).__name__})")


def after_sending(error: Exception, *, what: str, secrets: tuple[str, ...]) -> Outcome:
    """What to say of an error of the very request that resets the machine. RETRY only: it was never sent."""
    match error:
        case sushy.HTTPError() if error.status_code in _BUSY:
            return Outcome.retry(f"the BMC is busy: {_said(error, secrets)}")
        case sushy.HTTPError() if error.status_code < _SERVER:
            return Outcome.failed(f"the BMC refused the {what}: {_said(error, secrets)}")
        case sushy.HTTPError():
            return Outcome.unknown(f"the BMC answered the {what} with {_said(error, secrets)}")
        case _ if _never_connected(error):
            return _no_connection(error)
        case _:
            return Outcome.unknown(f"the {what} was sent, and its answer was lost")


def _no_connection(error: Exception) -> Outcome:
    causes = tuple(_causes(error))
    if any(isinstance(cause, requests.exceptions.SSLError) for cause in causes):
        return Outcome.failed("the BMC's certificate is not accepted (ca_file names who may have signed it)")
    if any(isinstance(cause, requests.TooManyRedirects) for cause in causes):
        return Outcome.failed("the BMC sends us elsewhere: its address must be the one that answers")
    if any(isinstance(cause, requests.Timeout) for cause in causes):
        return Outcome.retry("the BMC did not answer in time")
    return Outcome.retry("the BMC cannot be reached")


def _never_connected(error: Exception) -> bool:
    """Whether the connection itself failed, so that no byte of the request can have arrived."""
    kinds = (requests.ConnectTimeout, requests.exceptions.SSLError, NewConnectionError)
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what lies under it: sushy wraps requests, which wraps urllib3 in its arguments."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _said(error: sushy.HTTPError, secrets: tuple[str, ...]) -> str:
    """The status and the BMC's own sentence."""
    sentence = error.detail if isinstance(error.detail, str) else ""
    for secret in secrets:
        sentence = sentence.replace(secret, "***") if secret else sentence
    words = " ".join(sentence.split())[:_LONGEST]
    return f"HTTP {error.status_code}, {words}" if words else f"HTTP {error.status_code}"
