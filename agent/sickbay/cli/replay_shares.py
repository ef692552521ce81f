"""A fleet's replay in several processes: each reads the whole history and replays its share of the nodes.

Reading is a fifteenth of the work, so that nothing need be handed from one process to another but what was
found. This process takes the first share itself, and shows how far it has come.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from sickbay.core.conditions import Mode
from sickbay.core.fleet_findings import FleetFindings, Share, findings_of, together
from sickbay.core.fleet_replay import FleetReplay
from sickbay.core.history import About, HistoryEntry
from sickbay.host.histories import open_history
from sickbay.host.rule_files import LoadedRules, checked, merge_rules

_LOOK = 2_000
"""Entries between two looks at whether anybody still waits for this share."""


class ShareLostError(Exception):
    """A share could not be replayed to its end; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a process needs to replay a share: paths, because rules cannot be sent once they are compiled."""

    sources: tuple[Path, ...]
    layers: tuple[Path, ...]
    builtin: Path | None
    digest: str
    about: About
    mode: Mode


def replayed(
    errand: Errand,
    loaded: LoadedRules,
    jobs: int,
    watched: Callable[[], Iterable[HistoryEntry]],
) -> FleetFindings:
    """The findings of the whole fleet, by `jobs` processes; `watched` gives the entries to this one.

    Raises:
        RefusedError, NoHistoryError: when the history cannot be read to its end.
        ShareLostError: when a process was lost, or read other rules than this one.
    """
    if jobs <= 1:
        return _share(errand, loaded, Share(), watched())
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs - 1, context, _prepare, (stop, os.getpid())) as pool:
        try:
            others = [pool.submit(_elsewhere, errand, Share(index=n, of=jobs)) for n in range(1, jobs)]
            mine = _share(errand, loaded, Share(of=jobs), watched())
            return together([mine, *(other.result() for other in others)])
        except BrokenProcessPool as error:
            raise ShareLostError("a process of the replay was killed; --jobs 1 needs the least") from error
        finally:
            stop.set()


def _share(
    errand: Errand, loaded: LoadedRules, share: Share, entries: Iterable[HistoryEntry]
) -> FleetFindings:
    run = FleetReplay(
        rules=loaded.rules,
        remedies=loaded.remedies,
        about=errand.about,
        mode=errand.mode,
        holds=share.holds,
    )
    for entry in entries:
        run.take(entry)
    run.finish()
    return findings_of(run)


_waited: list[tuple[Event, int]] = []
"""In a process of the pool: what says that nobody waits any more, and who would."""


def _prepare(stop: Event, parent: int) -> None:
    """Ctrl-C is for the process that a person sees; it tells the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _waited.append((stop, parent))


def _elsewhere(errand: Errand, share: Share) -> FleetFindings:
    loaded = checked(merge_rules(*errand.layers, builtin=errand.builtin))
    if loaded.rules.digest != errand.digest:
        raise ShareLostError("the rules have changed while they were read; once more, please")
    histories = (open_history(source).entries() for source in errand.sources)
    return _share(errand, loaded, share, _while_waited_for(histories))


def _while_waited_for(histories: Iterable[Iterator[HistoryEntry]]) -> Iterator[HistoryEntry]:
    stop, parent = _waited[0]
    for history in histories:
        for number, entry in enumerate(history):
            if number % _LOOK == 0 and (stop.is_set() or os.getppid() != parent):
                return
            yield entry


def jobs_for(sources: Sequence[Path], asked: int) -> int:
    """How many processes: as many as were asked for, else one a processor where the history is long."""
    if asked:
        return asked
    size = sum(source.stat().st_size for source in sources)
    return max(min(len(os.sched_getaffinity(0)), size // _WORTH_A_PROCESS), 1)


_WORTH_A_PROCESS = 500_000
"""Bytes of a history that take longer than a process takes to begin."""
