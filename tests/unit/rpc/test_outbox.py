"""What an agent says next, without a wire."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.words import a_condition

from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Delta, Event
from sickbay.core.outcomes import Outcome
from sickbay.rpc.outbox import BATCH_BYTES, PAGE, WINDOW, Outbox


def an_outbox(side: FakeAgentSide) -> Outbox:
    return Outbox(side.full_state, side.unacknowledged)


def drained(outbox: Outbox) -> list[str]:
    """The kinds of all messages that the outbox has now."""
    kinds = []
    while (message := outbox.next()) is not None:
        kinds.append(str(message.WhichOneof("body")))
    return kinds


def a_delta() -> Delta:
    return Delta(conditions=(a_condition(),), inventory=None, readings=(), at=1.0)


def a_report(action: str, at: float = 1.0) -> ActionReport:
    return ActionReport(action_id=ActionId(action), outcome=Outcome.done(), at=at)


def test_nothing_is_said_while_nobody_listens() -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    outbox.delta(a_delta())
    outbox.events(side.happened(2))
    outbox.beat(1.0)
    assert drained(outbox) == []
    assert side.full_states == 0


def test_a_stream_begins_with_history_level_and_reports() -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    side.happened(2)
    outbox.report(a_report("a1"))
    outbox.opened()
    outbox.delta(a_delta())
    outbox.beat(1.0)
    assert drained(outbox) == ["events", "full_state", "report", "heartbeat"]


def test_a_change_overtakes_history_once_the_level_is_known() -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    outbox.opened()
    assert drained(outbox) == ["full_state"]
    outbox.events(side.happened(1))
    outbox.beat(1.0)
    outbox.delta(a_delta())
    assert drained(outbox) == ["delta", "events", "heartbeat"]


def test_several_heartbeats_that_could_not_leave_are_one() -> None:
    outbox = an_outbox(FakeAgentSide())
    outbox.opened()
    drained(outbox)
    outbox.beat(1.0)
    outbox.beat(2.0)
    message = outbox.next()
    assert message is not None
    assert message.heartbeat.at == 2.0
    assert drained(outbox) == []


def test_an_acknowledgement_of_what_was_never_sent_is_not_believed() -> None:
    side = FakeAgentSide()
    side.happened(3)
    outbox = an_outbox(side)
    outbox.opened()
    drained(outbox)
    assert outbox.acknowledgeable(2) == 2
    assert outbox.acknowledgeable(10**9) == 3


def test_a_spool_that_cannot_forget_does_not_have_its_page_sent_for_ever() -> None:
    side = FakeAgentSide()
    side.happened(PAGE)
    outbox = an_outbox(side)
    outbox.opened()
    assert drained(outbox) == ["events", "full_state"]
    outbox.acknowledged(PAGE)
    assert drained(outbox) == []


def test_a_gap_in_what_is_told_sends_back_to_the_spool() -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    outbox.opened()
    drained(outbox)
    first, second, third = side.happened(3)
    outbox.events([first])
    outbox.events([third])
    sent = [event.sequence for message in iter(outbox.next, None) for event in message.events.events]
    assert sent == [1, 2, 3]
    assert second in side.spool


def test_memory_holds_a_window_of_events_at_most() -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    outbox.opened()
    drained(outbox)
    for _ in range(100):
        outbox.events(side.happened(100))
    assert len(outbox._events) <= WINDOW


def test_a_report_is_told_to_each_new_stream_until_it_is_heard() -> None:
    outbox = an_outbox(FakeAgentSide())
    outbox.report(a_report("a1", at=1.0))
    for _ in range(2):
        outbox.opened()
        assert drained(outbox) == ["full_state", "report"]
        outbox.closed()
    outbox.heard("a1", 1.0)
    outbox.opened()
    assert drained(outbox) == ["full_state"]


def test_an_acknowledged_report_leaves_a_later_one_of_the_same_action() -> None:
    outbox = an_outbox(FakeAgentSide())
    outbox.report(a_report("a1", at=1.0))
    outbox.report(a_report("a1", at=2.0))
    outbox.heard("a1", 1.0)
    outbox.opened()
    assert drained(outbox) == ["full_state", "report"]


def test_reports_that_nobody_takes_are_bounded_and_the_latest_stay() -> None:
    outbox = an_outbox(FakeAgentSide())
    for number in range(1000):
        outbox.report(a_report(f"a{number}"))
    outbox.opened()
    drained_reports = [m.report.action_id for m in iter(outbox.next, None) if m.HasField("report")]
    assert len(drained_reports) == 256
    assert drained_reports[-1] == "a999"


def test_wide_events_are_split_so_that_each_message_is_taken() -> None:
    side = FakeAgentSide()
    side.happened(20, raw="x" * (BATCH_BYTES // 4))
    outbox = an_outbox(side)
    outbox.opened()
    sizes = [m.ByteSize() for m in iter(outbox.next, None) if m.HasField("events")]
    assert len(sizes) > 1
    assert max(sizes) <= BATCH_BYTES + 1024


def test_an_event_too_wide_for_any_message_travels_without_its_contents() -> None:
    side = FakeAgentSide()
    side.happened(1, raw="x" * (8 * BATCH_BYTES))
    outbox = an_outbox(side)
    outbox.opened()
    message = outbox.next()
    assert message is not None
    (event,) = message.events.events
    assert (event.sequence, event.WhichOneof("what")) == (1, None)


@given(st.lists(st.integers(min_value=1, max_value=400), max_size=8))
def test_all_events_arrive_in_order_and_once_however_they_come(counts: list[int]) -> None:
    side = FakeAgentSide()
    outbox = an_outbox(side)
    outbox.opened()
    arrived: list[int] = []
    for count in [*counts, 0]:
        outbox.events(side.happened(count))
        for message in iter(outbox.next, None):
            arrived += [event.sequence for event in message.events.events]
            if arrived:
                side.spool = [event for event in side.spool if event.sequence > arrived[-1]]
                outbox.acknowledged(arrived[-1])
    assert arrived == list(range(1, sum(counts) + 1))


class Delivery(RuleBasedStateMachine):
    """Streams come and go, acknowledgements lag and get lost; nothing unsafe is ever forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.side = FakeAgentSide()
        self.outbox = an_outbox(self.side)
        self.up = False
        self.all: list[Event] = []
        self.committed: set[int] = set()
        self.unacked: list[int] = []

    @rule(count=st.integers(min_value=1, max_value=WINDOW))
    def happen(self, count: int) -> None:
        made = self.side.happened(count)
        self.all += made
        self.outbox.events(made)

    @rule()
    def connect(self) -> None:
        if self.up:
            self.outbox.closed()
        self.up, self.unacked = True, []
        self.outbox.opened()

    @precondition(lambda self: self.up)
    @rule()
    def lose(self) -> None:
        self.up, self.unacked = False, []
        self.outbox.closed()

    @precondition(lambda self: self.up)
    @rule(messages=st.integers(min_value=1, max_value=8))
    def send(self, messages: int) -> None:
        for _ in range(messages):
            message = self.outbox.next()
            if message is not None and message.events.events:
                batch = [event.sequence for event in message.events.events]
                assert batch == list(range(batch[0], batch[0] + len(batch)))
                self.committed.update(batch)
                self.unacked.append(batch[-1])

    @precondition(lambda self: self.unacked)
    @rule()
    def acknowledge(self) -> None:
        safe = self.outbox.acknowledgeable(self.unacked.pop(0))
        self.side.spool = [event for event in self.side.spool if event.sequence > safe]
        self.outbox.acknowledged(safe)

    @invariant()
    def whatever_is_not_committed_is_still_in_the_spool(self) -> None:
        spooled = {event.sequence for event in self.side.spool}
        assert all(event.sequence in self.committed or event.sequence in spooled for event in self.all)

    def teardown(self) -> None:
        self.connect()
        for _ in range(len(self.all) + 10):
            self.send(8)
            while self.unacked:
                self.acknowledge()
        assert self.side.spool == []


TestDelivery = Delivery.TestCase
