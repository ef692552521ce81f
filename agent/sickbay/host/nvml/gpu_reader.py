"""One GPU under one driver load: its handle, what it can answer, and its readings.

One reading never disturbs another. A GPU that says it is lost is asked nothing further.
"""

from __future__ import annotations

from functools import partial

from sickbay.host.nvml.answers import ANSWERS
from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import (
    IDENTITY,
    NVLINK,
    NVLINK_STATES,
    STABLE_CODES,
    SUCCESS,
    UNREADABLE,
)
from sickbay.host.nvml.field_batch import FieldBatch
from sickbay.host.nvml.fields import FIELDS
from sickbay.host.nvml.gathering import Gathering
from sickbay.host.nvml.link_reader import LinkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sickbay.host.nvml.gathering import Value


class GpuReader:
    """Reads one GPU; `pci` is its address as `0000:1b:00`."""

    __slots__ = ("_batches", "_caller", "_handle", "_identity", "_links", "_settled", "pci")

    def __init__(self, caller: Caller, handle: object, pci: str) -> None:
        self.pci = pci
        self._handle = handle
        self._caller = caller
        self._batches: dict[tuple[tuple[str, int, int], ...], FieldBatch] = {}
        self._links: LinkReader | None = None
        self._identity: dict[str, Value] = {}
        self._settled: dict[str, int] = {}

    def relearn(self) -> None:
        """Ask again what was refused for good: a change of the GPU's mode may have changed that."""
        self._settled.clear()

    def read(self, groups: frozenset[str], gpu: int) -> Gathering:
        """The identity and the readings of some groups; a hang is announced under position `gpu`."""
        found = Gathering(self._settled)
        self._read_identity(found, gpu)
        self._read_group(found, groups - {IDENTITY}, gpu)
        if NVLINK in groups:
            self._read_links(found, gpu)
        self._settled.update(found.lasting_refusals())
        return found

    def _read_identity(self, found: Gathering, gpu: int) -> None:
        # What cannot change while the driver is loaded is asked once and told every time.
        if not _IDENTITY.keys() <= self._identity.keys():
            self._read_group(found, frozenset({IDENTITY}), gpu)
            self._identity = {name: found.values[name] for name in _IDENTITY if name in found.values}
        found.values.update(self._identity)

    def _read_group(self, found: Gathering, groups: frozenset[str], gpu: int) -> None:
        for (name, *more), (group, ways) in ANSWERS.items():
            if group in groups and not more:
                found.take(name, partial(self._answer, ways, gpu))
        wanted = tuple(
            (name, field_id, 0)
            for name, (group, field_id) in FIELDS.items()
            if group in groups and found.wants(name)
        )
        batch = self._batches.get(wanted) or self._batches.setdefault(wanted, FieldBatch(wanted))
        for name, code, value in batch.read(self._caller, gpu, self._handle):
            found.put(name, code, value)

    def _answer(self, ways: tuple[tuple[str, tuple[int, ...]], ...], gpu: int) -> Value:
        *first, last = ways
        for call, arguments in first:
            try:
                return self._ask(call, arguments, gpu)
            except CallFailedError as error:
                if error.code not in STABLE_CODES:
                    raise
        return self._ask(*last, gpu)

    def _ask(self, call: str, arguments: tuple[int, ...], gpu: int) -> Value:
        answer = self._caller.ask(call, self._handle, *arguments, gpu=gpu)
        convert = _CONVERT.get(call)
        value: Value = answer if convert is None else convert(answer)
        return value

    def _read_links(self, found: Gathering, gpu: int) -> None:
        count = self._identity.get("nvlink_count")
        if not isinstance(count, int):
            found.put(NVLINK_STATES, found.codes.get("nvlink_count", UNREADABLE), 0)
            return
        if not found.wants(NVLINK_STATES):
            return
        if self._links is None or self._links.count != count:
            self._links = LinkReader(self._caller, self._handle, count)
        _put_links(found, self._links.read(gpu))


def _put_links(found: Gathering, answers: list[tuple[int, int]]) -> None:
    if answers and all(code != SUCCESS for code, _ in answers):
        found.put(NVLINK_STATES, answers[0][0], 0)
        return
    states: Value = [state if code == SUCCESS else None for code, state in answers]
    found.put(NVLINK_STATES, SUCCESS, states)


def _device_id(info: Any) -> str:  # noqa: ANN401 - a pynvml structure
    return f"0x{info.pciDeviceId:08X}"


def _total(memory: Any) -> int:  # noqa: ANN401 - a pynvml structure
    return int(memory.total)


_CONVERT: dict[str, Callable[[Any], Value]] = {
    "nvmlDeviceGetPciInfo": _device_id,
    "nvmlDeviceGetMemoryInfo": _total,
}

_IDENTITY = {
    name: group
    for name, (group, _) in [*((n, w) for ns, w in ANSWERS.items() for n in ns), *FIELDS.items()]
    if group == IDENTITY
}
