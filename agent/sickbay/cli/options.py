"""The options that commands share, and the connections that they open from them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sickbay.cli.output import EXIT_UNREACHABLE, EXIT_USAGE, fail
from sickbay.core.instants import parse_duration
from sickbay.rpc.questions import Refused, Unreachable

if TYPE_CHECKING:
    from sickbay.rpc.fleet_client import FleetClient
    from sickbay.rpc.node_client import NodeClient

C = TypeVar("C", bound=Callable[..., Any])

output_option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)

socket_option = click.option(
    "--socket",
    envvar="SICKBAY_AGENT_SOCKET",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The socket of this host's agent.  [default: /run/sickbay/agent.sock]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """Where the coordinator is, and whether plaintext may leave this machine on the way there."""

    target: str | None
    insecure: bool


def coordinator_option(command: C) -> C:
    """`--coordinator` and its flag, given to the command as one `coordinator`."""

    @click.option(
        "--coordinator",
        "target",
        envvar="SICKBAY_COORDINATOR",
        show_envvar=True,
        metavar="HOST:PORT",
        help="The coordinator to ask.  [default: 127.0.0.1:7118]",
    )
    @click.option(
        "--insecure-plaintext-off-host",
        "insecure",
        envvar="SICKBAY_INSECURE_PLAINTEXT_OFF_HOST",
        is_flag=True,
        help="Speak plaintext to another machine, where everybody on the way may read and forge it.",
    )
    @wraps(command)
    def with_coordinator(*args: Any, target: str | None, insecure: bool, **named: Any) -> object:  # noqa: ANN401 - click's own arguments pass through
        return command(*args, coordinator=Coordinator(target=target, insecure=insecure), **named)

    return with_coordinator  # type: ignore[return-value]  # click calls it by keyword


def examples(*commands: str) -> str:
    """An epilog that shows commands to type, unwrapped."""
    return "\b\n" + "\n".join(("Examples:", *(f"  {command}" for command in commands)))


class Span(click.ParamType[float]):
    """A span of time such as `90s`, `1h30m` or `7d`, as seconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; a usage error that names the forms otherwise."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@contextmanager
def agent_at(socket: Path | None, *, timeout: float = 2.0) -> "Iterator[NodeClient]":
    """This host's agent; whatever it cannot answer ends the command with a sentence. `timeout` in seconds."""
    # Each kind of command loads the one client that it needs.
    from sickbay.rpc.node_client import DEFAULT_SOCKET, NodeClient  # noqa: PLC0415 - as above

    with _told(" (--socket PATH)"), NodeClient(socket or DEFAULT_SOCKET, timeout=timeout) as client:
        yield client


@contextmanager
def coordinator_at(coordinator: Coordinator) -> "Iterator[FleetClient]":
    """The coordinator; whatever it cannot answer ends the command with a sentence."""
    from sickbay.rpc.fleet_client import DEFAULT_TARGET, FleetClient  # noqa: PLC0415 - as in `agent_at`
    from sickbay.rpc.serving import BadAddress, Security  # noqa: PLC0415 - as in `agent_at`

    security = Security(insecure_plaintext_off_host=coordinator.insecure)
    try:
        client = FleetClient(coordinator.target or DEFAULT_TARGET, security=security)
    except BadAddress as error:
        fail(
            f"{error} (--insecure-plaintext-off-host)" if "plaintext" in str(error) else str(error),
            code=EXIT_USAGE,
        )
    with _told(" (--coordinator HOST:PORT or SICKBAY_COORDINATOR)"), client:
        yield client


@contextmanager
def _told(how: str) -> Iterator[None]:
    try:
        yield
    except Unreachable as error:
        fail(f"{error}{how}", code=EXIT_UNREACHABLE)
    except Refused as error:
        fail(str(error))
