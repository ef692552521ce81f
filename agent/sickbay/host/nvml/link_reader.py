"""What is read of every link of one GPU: by one batch of fields, or by a call a link."""

from __future__ import annotations

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import GPU_IS_LOST, NVLINK_STATES, STABLE_CODES, SUCCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sickbay.host.nvml.field_batch import Batches
    from sickbay.host.nvml.gathering import Gathering

    Answers = list[tuple[int, int | float]]


class LinkReader:
    """Reads the links of one GPU into a Gathering."""

    __slots__ = ("_batches", "_caller", "_handle", "_states_by_call")

    def __init__(self, caller: Caller, handle: object, batches: Batches) -> None:
        self._caller = caller
        self._handle = handle
        self._batches = batches
        self._states_by_call = False

    def relearn(self) -> None:
        """Try the batch again for what it once could not tell."""
        self._states_by_call = False

    def by_field(self, found: Gathering, fields: tuple[tuple[str, int], ...], count: int, gpu: int) -> None:
        """Read (reading, field id) of each of `count` links, in one call."""
        fields = tuple(field for field in fields if found.wants(field[0]))
        if self._states_by_call and any(name == NVLINK_STATES for name, _ in fields):
            found.put_links(NVLINK_STATES, self._by_call("nvmlDeviceGetNvLinkState", count, gpu))
            fields = tuple(field for field in fields if field[0] != NVLINK_STATES)
        wanted = tuple((name, field_id, link) for name, field_id in fields for link in range(count))
        answers = [
            (code, value) for _, code, value in self._batches.read(wanted, self._caller, gpu, self._handle)
        ]
        for place, (name, _) in enumerate(fields):
            self._put(found, name, answers[place * count : (place + 1) * count], gpu)

    def by_call(self, found: Gathering, name: str, call: str, count: int, gpu: int) -> None:
        """Read one reading by a call a link."""
        if found.wants(name):
            found.put_links(name, self._by_call(call, count, gpu))

    def _put(self, found: Gathering, name: str, answers: Answers, gpu: int) -> None:
        if name == NVLINK_STATES and answers and all(code in STABLE_CODES for code, _ in answers):
            # A driver from before the field.
            self._states_by_call = True
            answers = self._by_call("nvmlDeviceGetNvLinkState", len(answers), gpu)
        found.put_links(name, answers)

    def _by_call(self, call: str, count: int, gpu: int) -> Answers:
        answers: Answers = []
        for link in range(count):
            lost = bool(answers) and answers[-1][0] == GPU_IS_LOST
            answers.append((GPU_IS_LOST, 0) if lost else self._one(call, link, gpu))
        return answers

    def _one(self, call: str, link: int, gpu: int) -> tuple[int, int]:
        try:
            state = self._caller.ask(call, self._handle, link, gpu=gpu)
        except CallFailedError as error:
            return error.code, 0
        return SUCCESS, int(state)
