"""One GPU under one driver load: its handle, what it can answer, and its readings.

One reading never disturbs another. A GPU that says it is lost is asked nothing further.
"""

from __future__ import annotations

from functools import partial

from sickbay.host.nvml import asking
from sickbay.host.nvml.answers import ANSWERS, GROUP_OF, REMOTE_TYPES
from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import IDENTITY, NVLINK_PEERS, STABLE_CODES, UNREADABLE
from sickbay.host.nvml.field_batch import Batches
from sickbay.host.nvml.fields import C2C_FIELDS, FIELDS, NVLINK_FIELDS
from sickbay.host.nvml.gathering import Gathering
from sickbay.host.nvml.link_reader import LinkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sickbay.host.nvml.answers import Way
    from sickbay.host.nvml.gathering import Value

_IDENTITY = tuple(name for name, group in GROUP_OF.items() if group == IDENTITY)


class GpuReader:
    """Reads one GPU; `pci` is its address as `0000:1b:00`. GPUs of one worker may share `batches`."""

    __slots__ = ("_batches", "_caller", "_handle", "_identity", "_links", "_settled", "_ways", "pci")

    def __init__(self, caller: Caller, handle: object, pci: str, batches: Batches | None = None) -> None:
        self.pci = pci
        self._handle = handle
        self._caller = caller
        self._batches = batches if batches is not None else Batches()
        self._links = LinkReader(caller, handle, self._batches)
        self._identity: dict[str, Value] = {}
        self._settled: dict[str, int] = {}
        self._ways: dict[tuple[str, ...], int] = {}

    def relearn(self) -> None:
        """Ask again what was refused for good: a change of the GPU's mode may have changed that."""
        self._settled.clear()
        self._ways.clear()
        self._links.relearn()

    def read(self, groups: frozenset[str], gpu: int) -> Gathering:
        """The identity and the readings of some groups; a hang is announced under position `gpu`.

        What cannot change while the driver is loaded is asked once and told every time.
        """
        groups |= {IDENTITY}
        found = Gathering(self._identity, self._settled)
        for names, (group, ways) in ANSWERS.items():
            if group in groups:
                found.take(names, partial(self._answer, names, ways, gpu))
        self._read_fields(found, groups, gpu)
        self._read_links(found, groups, NVLINK_FIELDS, "nvlink_count", gpu)
        self._read_peers(found, groups, gpu)
        self._read_links(found, groups, C2C_FIELDS, "c2c_links", gpu)
        self._identity = {name: found.values[name] for name in _IDENTITY if name in found.values}
        self._settled.update(found.lasting_refusals())
        return found

    def _answer(
        self, names: tuple[str, ...], ways: tuple[Way, ...], gpu: int
    ) -> tuple[tuple[Value | None, ...], int]:
        refused = UNREADABLE
        last = len(ways) - 1
        for place in range(self._ways.get(names, 0), len(ways)):
            try:
                values = asking.ask(self._caller, self._handle, *ways[place], gpu)
            except CallFailedError as error:
                if place == last or error.code not in STABLE_CODES:
                    raise
                refused = error.code
                self._ways[names] = place + 1
            else:
                break
        return values, refused

    def _read_fields(self, found: Gathering, groups: frozenset[str], gpu: int) -> None:
        wanted = tuple(
            (name, field_id, 0)
            for name, (group, field_id) in FIELDS.items()
            if group in groups and found.wants(name)
        )
        for name, code, value in self._batches.read(wanted, self._caller, gpu, self._handle):
            found.put(name, code, value)

    def _read_links(
        self,
        found: Gathering,
        groups: frozenset[str],
        fields: Mapping[str, tuple[str, int]],
        counted_by: str,
        gpu: int,
    ) -> None:
        due = tuple((name, field_id) for name, (group, field_id) in fields.items() if group in groups)
        count = found.values.get(counted_by)
        if isinstance(count, int) and count > 0:
            self._links.by_field(found, due, count, gpu)
        else:
            for name, _ in due:
                found.refuse(name, counted_by)

    def _read_peers(self, found: Gathering, groups: frozenset[str], gpu: int) -> None:
        if NVLINK_PEERS not in groups:
            return
        count = found.values.get("nvlink_count")
        if isinstance(count, int) and count > 0:
            self._links.by_call(found, REMOTE_TYPES, "nvmlDeviceGetNvLinkRemoteDeviceType", count, gpu)
        else:
            found.refuse(REMOTE_TYPES, "nvlink_count")
