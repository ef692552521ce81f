"""A recorded run gives, when it is replayed, what it gave when it was live."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.property.test_rule_engine import HISTORIES, SAMPLE
from tests.support.rules import BOOT, START

from sickbay.core.conditions import Condition
from sickbay.core.history import About, Began, HistoryEntry, Looked
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.replay import BEAT, Change, NodeReplay
from sickbay.core.rule_engine import observe, state_after_boot
from sickbay.core.rule_state import EngineState
from sickbay.core.signals import Signal
from sickbay.host.trace_files import Trace, write_trace

NODE = NodeName("gpu-1")
Told = list[tuple[Instant, Condition]]


class Live:
    """An agent's loop: it judges what comes, and each beat; and it writes down what mattered."""

    def __init__(self, boot: BootId = BOOT) -> None:
        began = Began(node=NODE, now=START, boot_id=boot)
        self.written: list[HistoryEntry] = [began]
        self.told: Told = []
        self.boot = boot
        self.state = state_after_boot(EngineState(), boot, START).state

    def judge(self, now: Instant, signals: Sequence[Signal] = ()) -> None:
        seen = observe(SAMPLE, self.state, signals, now=now, boot_id=self.boot)
        self.state = seen.state
        self.told += [(now, condition) for condition in seen.conditions_changed]
        if signals or seen.conditions_changed:
            self.written.append(Looked(node=NODE, now=now, signals=tuple(signals)))


def lived(history: Sequence[Signal], delays: Sequence[float], idle_beats: int) -> Live:
    live = Live()
    looks = sorted({signal.at.mono for signal in history})
    beat = START.mono
    for index, at in enumerate(looks):
        while beat + BEAT < at:
            beat += BEAT
            live.judge(START.later(beat - START.mono))
        late = delays[index % len(delays)]
        live.judge(START.later(at - START.mono + late), [s for s in history if s.at.mono == at])
        beat = max(beat, at)
    for _ in range(idle_beats):
        beat += BEAT
        live.judge(START.later(beat - START.mono))
    return live


def replayed(entries: Sequence[HistoryEntry], *, until: Instant) -> Told:
    replay = NodeReplay(node=NODE, rules=SAMPLE, about=About(source="test"))
    changes: list[Change] = [change for entry in entries for change in replay.take(entry)]
    changes += replay.pass_time(until)
    return [(change.now, change.condition) for change in changes]


@given(HISTORIES, st.lists(st.sampled_from([0.0, 0.001, 0.4]), min_size=1, max_size=5), st.integers(0, 5))
def test_a_replayed_record_gives_the_live_runs_conditions_exactly(
    history: list[Signal], delays: list[float], idle_beats: int
) -> None:
    live = lived(history, delays, idle_beats)
    assert replayed(live.written, until=live.written[-1].now) == live.told


@given(HISTORIES)
def test_and_so_it_does_after_it_was_written_to_a_file_and_read_again(history: list[Signal]) -> None:
    live = lived(history, [0.0], 2)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("trace.jsonl", "trace.jsonl.gz"):
            path = Path(folder) / name
            assert write_trace(path, About(source="test"), live.written) == len(live.written)
            trace = Trace(path)
            assert trace.about == About(source="test")
            assert list(trace) == live.written
