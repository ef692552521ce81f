"""What an agent has to say next: the order, what may be dropped, and what is told again. No I/O of its own.

* A level (full state, deltas) is never kept for later: while nobody listens deltas are dropped, and the next
  stream begins with the full state. Too many deltas for a slow reader become one full state, too.
* An event lives in the spool until it is acknowledged. Memory holds at most a window of those on their way;
  whatever does not fit is read from the spool again, in order, so an acknowledgement never skips one.
* A report is kept, latest first served, until the coordinator says that it has it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Delta, Event, FullState
from sickbay.core.rule_bundles import RulesReport
from sickbay.rpc.convert_observations import wire_event
from sickbay.rpc.convert_rules import wire_rules_report
from sickbay.rpc.convert_stream import wire_delta, wire_full_state, wire_report
from sickbay.v1 import coordinator_pb2 as pb
from sickbay.v1 import types_pb2

PAGE = 256
"""Events in one message, and read from the spool at a time."""

WINDOW = 1024
"""Events in memory at once; the rest waits in the spool."""

BATCH_BYTES = 1024 * 1024
"""An event that alone is larger travels without its contents: four times as much would end the stream."""

_DELTAS = 64
_REPORTS = 256


class Outbox:
    """The messages of one agent, across its streams. Not thread-safe: it belongs to the event loop."""

    def __init__(
        self,
        full_state: Callable[[], FullState],
        unacknowledged: Callable[[int], Sequence[Event]],
    ) -> None:
        """Both are asked whenever a stream needs them: what holds now, and the spool's oldest events."""
        self._full_state = full_state
        self._unacknowledged = unacknowledged
        self._open = False
        self._beat_at: float | None = None
        self._deltas: deque[Delta] = deque()
        self._state_due = False
        self._rules: RulesReport | None = None
        self._reports: dict[ActionId, ActionReport] = {}
        self._unsent: deque[ActionReport] = deque()
        self._events: deque[Event] = deque()
        self._behind = False
        self._sent = -1
        self._acked = -1

    def opened(self) -> None:
        """A coordinator listens: begin with what it may have missed."""
        self._open = True
        self._behind = True
        self._state_due = True
        self._unsent = deque(self._reports.values())

    def closed(self) -> None:
        """Nobody listens. What only makes sense on the stream that has ended is forgotten."""
        self._open = False
        self._beat_at = None
        self._rules = None
        self._deltas.clear()
        self._events.clear()
        self._sent = self._acked

    def beat(self, at: float) -> None:
        """A heartbeat is due; of several that could not leave one is enough."""
        self._beat_at = at

    def delta(self, delta: Delta) -> None:
        """Something changed."""
        if not self._open or self._state_due:
            return
        self._deltas.append(delta)
        if len(self._deltas) > _DELTAS:
            self._deltas.clear()
            self._state_due = True

    def events(self, events: Iterable[Event]) -> None:
        """Events that the spool already holds."""
        if not self._open or self._behind:
            return
        fresh = [event for event in events if event.sequence > self._sent]
        if not fresh:
            return
        if fresh[0].sequence != self._sent + 1 or len(self._events) + len(fresh) > WINDOW:
            self._behind = True
            return
        self._events.extend(fresh)
        self._sent = fresh[-1].sequence

    def report(self, report: ActionReport) -> None:
        """What came of a directive. Of those that nobody took, the oldest make room."""
        self._reports.pop(report.action_id, None)
        self._reports[report.action_id] = report
        if len(self._reports) > _REPORTS:
            del self._reports[next(iter(self._reports))]
        if self._open:
            self._unsent.append(report)

    def rules(self, report: RulesReport) -> None:
        """The node's rules changed, or a set was refused. Only the latest is told; a hello tells it, too."""
        if self._open:
            self._rules = report

    def heard(self, action_id: str, at: float) -> None:
        """The coordinator has the report that was made at `at`; a later one of the same action stays."""
        report = self._reports.get(ActionId(action_id))
        if report is not None and report.at == at:
            del self._reports[report.action_id]

    def acknowledgeable(self, sequence: int) -> int:
        """The part of an acknowledgement that can be true: nothing is safe that was not sent."""
        return min(sequence, self._sent)

    def acknowledged(self, sequence: int) -> None:
        """The spool has let go of everything up to `sequence`."""
        self._acked = max(self._acked, sequence)

    def next(self) -> pb.AgentMessage | None:
        """The message to send now, or None when there is nothing to say."""
        if not self._open:
            return None
        self._read_spool()
        if self._state_due and not self._events:
            return self._whole()
        if self._deltas:
            return pb.AgentMessage(delta=wire_delta(self._deltas.popleft()))
        if self._events:
            return pb.AgentMessage(events=self._batch())
        if self._unsent:
            return pb.AgentMessage(report=wire_report(self._unsent.popleft()))
        return self._aside()

    def _aside(self) -> pb.AgentMessage | None:
        if self._rules is not None:
            report, self._rules = self._rules, None
            return pb.AgentMessage(rules=wire_rules_report(report))
        if self._beat_at is None:
            return None
        at, self._beat_at = self._beat_at, None
        return pb.AgentMessage(heartbeat=pb.Heartbeat(at=at))

    def _whole(self) -> pb.AgentMessage:
        self._state_due = False
        self._deltas.clear()
        return pb.AgentMessage(full_state=wire_full_state(self._full_state()))

    def _read_spool(self) -> None:
        """Take the next page once everything sent before is acknowledged, so that no page is read twice."""
        if not self._behind or self._events or self._acked < self._sent:
            return
        page = self._unacknowledged(PAGE)
        # A spool that cannot forget would have us send the same page for ever.
        fresh = [event for event in page if event.sequence > self._acked]
        self._behind = len(page) >= PAGE and bool(fresh)
        self._events.extend(fresh)
        if fresh:
            self._sent = fresh[-1].sequence

    def _batch(self) -> pb.EventBatch:
        batch, size = pb.EventBatch(), 0
        while self._events and len(batch.events) < PAGE:
            message = _bounded(self._events[0])
            size += message.ByteSize()
            if batch.events and size > BATCH_BYTES:
                break
            batch.events.append(message)
            self._events.popleft()
        return batch


def _bounded(event: Event) -> types_pb2.Event:
    message = wire_event(event)
    if message.ByteSize() > BATCH_BYTES:
        message.ClearField("signal")
        message.ClearField("condition")
    return message
