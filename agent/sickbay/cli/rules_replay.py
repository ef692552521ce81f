"""`sickbay rules replay`: what a candidate rule set would have done with a recorded history."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from sickbay.cli.options import examples, output_option
from sickbay.cli.output import Plain, emit, fail, table, when
from sickbay.cli.replay_shares import Errand, ShareLostError, jobs_for, replayed
from sickbay.cli.rules_options import checked_or_exit, layers_of, layers_option, merged_from
from sickbay.core.conditions import Mode
from sickbay.core.fleet_findings import FleetFindings
from sickbay.core.fleet_replay import Tally
from sickbay.core.history import About, HistoryEntry
from sickbay.core.instants import format_duration
from sickbay.core.problems import RefusedError
from sickbay.core.rehearsal import Rehearsed
from sickbay.host.histories import History, NoHistoryError, open_history

_SHOWN = 20


@click.command(
    epilog=examples(
        "sickbay rules replay trace.jsonl.gz --rules ./rules.d",
        "sickbay rules replay /var/lib/sickbay/spool.db",
        "sickbay rules replay /var/lib/sickbay/sickbay.db --rules ./rules.d -o json",
    )
)
@click.argument("sources", metavar="HISTORY...", nargs=-1, required=True, type=click.Path(path_type=Path))
@layers_option
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.ACT.value,
    show_default=True,
    help="The cluster's mode in the rehearsal; it caps every rule's own.",
)
@click.option("--all", "everything", is_flag=True, help=f"List every action, not only the first {_SHOWN}.")
@click.option(
    "--jobs",
    type=click.IntRange(0, 64),
    default=0,
    help="Processes; the result does not depend on it.  [default: one a processor for a long history]",
)
@output_option
def replay(
    *,
    sources: tuple[Path, ...],
    sites: tuple[Path, ...],
    builtin: Path | None,
    mode: str,
    everything: bool,
    jobs: int,
    form: str,
) -> None:
    """What these rules would have made of a history, beside what the rules of that time made of it.

    HISTORY is a trace file (.jsonl, .jsonl.gz), an agent's spool (spool.db) or a coordinator's database
    (sickbay.db); files are only read, and may be in use. Both columns are rehearsals on an ideal cluster:
    every cordon succeeds and jobs leave at once, so that they differ by the rules alone. What was really done
    stands in a column of its own where the history tells it.
    """
    loaded = checked_or_exit(merged_from(sites, builtin))
    histories = [_opened(source) for source in sources]
    errand = Errand(
        sources=sources,
        layers=layers_of(sites),
        builtin=builtin,
        digest=loaded.rules.digest,
        about=_together(histories),
        mode=Mode(mode),
    )
    began = time.perf_counter()
    try:
        run = replayed(
            errand,
            loaded,
            jobs_for(sources, jobs),
            lambda: _with_progress(histories, visible=form == "table"),
        )
    except (RefusedError, NoHistoryError, ShareLostError) as refused:
        fail(str(refused))
    took = time.perf_counter() - began
    emit(_value(run, took), form, lambda: _tell(run, took, everything=everything))


def _opened(source: Path) -> History:
    try:
        return open_history(source)
    except (NoHistoryError, RefusedError) as error:
        fail(str(error))


def _together(histories: Sequence[History]) -> About:
    """How all of them were kept: one sparse history makes all of them so."""
    return About(
        source=", ".join(history.about.source for history in histories),
        sparse=any(history.about.sparse for history in histories),
        every_look=all(history.about.every_look for history in histories),
        interval=max(history.about.interval for history in histories),
    )


def _with_progress(histories: Iterable[History], *, visible: bool) -> Iterator[HistoryEntry]:
    """The entries, with a bar on standard error while a person waits."""
    from rich.console import Console  # noqa: PLC0415 - only long work shows a bar
    from rich.progress import track  # noqa: PLC0415 - as above

    for history in histories:
        yield from track(
            history.entries(),
            total=history.length,
            description=history.about.source,
            console=Console(stderr=True),
            transient=True,
            disable=not visible,
        )


def _value(run: FleetFindings, took: float) -> dict[str, Plain]:
    return {
        "nodes": run.nodes,
        "signals": run.signals,
        "entries": run.entries,
        "from": run.first,
        "to": run.last,
        "seconds": round(took, 3),
        "candidate": _tally(run.candidate),
        "recorded": _tally(run.recorded),
        "acted": dict(run.acted),
        "differences": [
            {"rule": rule, "recorded": then, "candidate": now} for rule, then, now in run.differences()
        ],
        "not_in_this_history": list(run.unseen),
    }


def _tally(tally: Tally) -> dict[str, Plain]:
    return {
        "conditions": tally.conditions,
        "incidents": tally.incidents,
        "nodes_touched": len(tally.nodes),
        "actions": dict(tally.actions),
        "by_rule": dict(tally.by_rule),
        "listed": [_action(each) for each in tally.listed],
    }


def _action(each: Rehearsed) -> dict[str, Plain]:
    return {
        "at": each.now.wall,
        "node": each.node,
        "what": each.what,
        "rule": each.incident.rule,
        "reason": each.incident.reason,
        "incident": each.incident.id,
    }


def _tell(run: FleetFindings, took: float, *, everything: bool) -> None:
    span = format_duration((run.last or 0.0) - (run.first or 0.0))
    rate = run.signals / took if took else 0.0
    seen = f"{run.signals} signals of {run.nodes} nodes over {span}"
    click.echo(f"{seen}, in {took:.1f}s ({rate:,.0f} a second)")
    click.echo()
    table(("", "RECORDED RULES", "THESE RULES", "REALLY DONE"), _sums(run), empty="")
    rows = [(rule, str(then), str(now)) for rule, then, now in run.differences()]
    if rows:
        click.echo()
        table(("RULE", "OPENED THEN", "OPENS NOW"), rows, empty="")
    listed = run.candidate.listed if everything else run.candidate.listed[:_SHOWN]
    if listed:
        click.echo()
        table(("WHEN", "NODE", "WHAT", "RULE", "REASON"), [_row(each) for each in listed], empty="")
        left = sum(run.candidate.actions.values()) - len(listed)
        if left > 0:
            click.echo(f"and {left} more (--all, or -o json)")
    if run.unseen:
        click.echo()
        click.echo(
            f"No signals for these rules here, so nothing can be said of them: {', '.join(run.unseen)}"
        )


def _sums(run: FleetFindings) -> list[tuple[str, str, str, str]]:
    then, now = run.recorded, run.candidate
    rows = [
        ("conditions", str(then.conditions), str(now.conditions), "-"),
        ("incidents", str(then.incidents), str(now.incidents), "-"),
    ]
    names = dict.fromkeys((*then.actions, *now.actions, *run.acted))
    rows += [(name, str(then.actions[name]), str(now.actions[name]), str(run.acted[name])) for name in names]
    return [*rows, ("nodes touched", str(len(then.nodes)), str(len(now.nodes)), "-")]


def _row(each: Rehearsed) -> tuple[str, str, str, str, str]:
    return (when(each.now.wall), each.node, each.what, each.incident.rule, each.incident.reason)
