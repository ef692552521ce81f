"""`sickbay status`: is this host fit for work? Imports little, because prompts and prologs wait for it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sickbay.cli.host_report import HostReport, report_of
from sickbay.cli.host_text import host_lines
from sickbay.cli.options import (
    Coordinator,
    agent_at,
    coordinator_option,
    examples,
    output_option,
    socket_option,
)
from sickbay.cli.output import EXIT_UNREACHABLE, emit, fail, plain
from sickbay.core.host_views import Health, HostView
from sickbay.rpc.questions import Unreachable
from sickbay.rpc.quick_look import DEFAULT_SOCKET, quick_look

_PATIENCE = 2.0
"""Seconds that an agent has to answer, as everywhere else."""


class _Misused(click.UsageError):
    exit_code = EXIT_UNREACHABLE


class _Status(click.Command):
    """A command that ends as unknown whenever it could not say how the host is.

    Wrong use would exit with 2, click's own code for it, which here says unhealthy; an interruption, a closed
    pipe and a defect of ours would exit with 1, which says degraded.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        """The context; a usage error carries the exit code of *unknown*."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _Misused(error.format_message(), ctx=error.ctx) from error

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run it; whatever nobody foresaw is told with its stack, and exits as *unknown*."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _Misused(error.format_message(), ctx=error.ctx) from error
        except (click.exceptions.Exit, click.ClickException, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - an exit status of 1 would say that the host is degraded
            _tell(error)
            sys.exit(EXIT_UNREACHABLE)


@click.command(
    cls=_Status,
    epilog=examples("sickbay status", "sickbay status --watch", "sickbay status --check -o json"),
)
@click.option("--check", is_flag=True, help="Read the driver now, instead of showing the last sweep.")
@click.option("--all", "everything", is_flag=True, help="Show every monitor and every reading, well or not.")
@click.option("--watch", is_flag=True, help="Show it live, until ^C.")
@socket_option
@coordinator_option
@output_option
def status(
    *, check: bool, everything: bool, watch: bool, socket: Path | None, coordinator: Coordinator, form: str
) -> None:
    """Is this host fit for work, what is wrong, and what happens next?

    The exit code says it too: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown. A host whose agent does not
    answer is unknown.

    With -o json: what the agent shows (node, health, summary, inventory, conditions, readings, monitors),
    and what is made of it: gpus (a row a GPU), wrong, not_known, being_done.
    """
    if watch:
        _watch(socket, coordinator, form, everything=everything)
    view = _ask(socket, check=check)
    report = report_of(view)
    doing = _doing(view, report, coordinator)
    whole = {**_mapping(view), **_mapping(report), "being_done": list(doing)}
    emit(whole, form, lambda: _print(view, report, doing, everything=everything))
    sys.exit(list(Health).index(view.health))


def _ask(socket: Path | None, *, check: bool) -> HostView:
    """The host now. gRPC, whose import alone takes longer than all else, is for a check and for strangers."""
    try:
        view = None if check else quick_look(socket or DEFAULT_SOCKET, timeout=_PATIENCE)
    except Unreachable as error:
        fail(str(error), code=EXIT_UNREACHABLE)
    if view is not None:
        return view
    with agent_at(socket) as client:
        return client.check() if check else client.health()


def _doing(view: HostView, report: HostReport, coordinator: Coordinator) -> tuple[str, ...]:
    """What a coordinator does about it. Not asked for a host with which nothing is wrong."""
    if not report.wrong:
        return ()
    from sickbay.cli.being_done import being_done, whom_to_ask  # noqa: PLC0415 - only with something wrong

    target = whom_to_ask(view, coordinator.target)
    return being_done(view, target, insecure=coordinator.insecure) if target else ()


def _print(view: HostView, report: HostReport, doing: Sequence[str], *, everything: bool) -> None:
    for line in host_lines(view, report, everything=everything, doing=doing):
        click.echo(line)


def _mapping(value: object) -> dict[str, Any]:
    shown = plain(value)
    return shown if isinstance(shown, dict) else {}


def _watch(socket: Path | None, coordinator: Coordinator, form: str, *, everything: bool) -> None:
    if form != "table":
        raise click.UsageError("--watch is for people; programs ask again, or read /metrics")
    from sickbay.cli.status_watch import watch_host  # noqa: PLC0415 - rich is for whoever watches

    def lines(view: HostView) -> list[str]:
        report = report_of(view)
        return host_lines(view, report, everything=everything, doing=_doing(view, report, coordinator))

    health = watch_host(socket, lines)
    sys.exit(list(Health).index(health))


def _tell(error: BaseException) -> None:
    if isinstance(error, (KeyboardInterrupt, click.Abort, BrokenPipeError)):
        return
    import traceback  # noqa: PLC0415 - only a defect pays for it

    traceback.print_exception(error, file=sys.stderr)
    click.echo("sickbay: a defect of this command; how the host is remains unknown", err=True)
