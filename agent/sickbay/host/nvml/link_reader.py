"""The state of every NVLink of one GPU."""

from __future__ import annotations

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import GPU_IS_LOST, NVLINK_STATES, STABLE_CODES, SUCCESS
from sickbay.host.nvml.field_batch import FieldBatch
from sickbay.host.nvml.fields import NVLINK_FIELDS


class LinkReader:
    """Reads `count` links by one batch of fields or, where the driver is too old for it, by a call a link."""

    __slots__ = ("_batch", "_caller", "_handle", "count")

    def __init__(self, caller: Caller, handle: object, count: int) -> None:
        self.count = count
        self._caller = caller
        self._handle = handle
        self._batch: FieldBatch | None = FieldBatch(
            tuple((str(link), NVLINK_FIELDS[NVLINK_STATES][1], link) for link in range(count)),
        )

    def read(self, gpu: int) -> list[tuple[int, int]]:
        """(return code, state) for each link, lowest first."""
        if self._batch is not None:
            answers = [
                (code, int(state)) for _, code, state in self._batch.read(self._caller, gpu, self._handle)
            ]
            if not answers or any(code not in STABLE_CODES for code, _ in answers):
                return answers
            self._batch = None
        return self._by_call(gpu)

    def _by_call(self, gpu: int) -> list[tuple[int, int]]:
        answers: list[tuple[int, int]] = []
        for link in range(self.count):
            lost = bool(answers) and answers[-1][0] == GPU_IS_LOST
            answers.append((GPU_IS_LOST, 0) if lost else self._one(link, gpu))
        return answers

    def _one(self, link: int, gpu: int) -> tuple[int, int]:
        try:
            state = self._caller.ask("nvmlDeviceGetNvLinkState", self._handle, link, gpu=gpu)
        except CallFailedError as error:
            return error.code, 0
        return SUCCESS, int(state)
