"""Cordons that no scheduler remembers, so the coordinator must."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sickbay.core.ids import NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class CordonRecord:
    """One node out of service. `reason` is a mark's own, or the words of the person who took it out.

    `at` is when, in Unix seconds.
    """

    node: NodeName
    reason: str
    at: float


class RecordsError(Exception):
    """The records could not be read or written; `str()` says why. A change may or may not have been made."""


class CordonRecords(Protocol):
    """Where cordons are kept. Each call returns when the change is safe; there is one record a node.

    Every call raises RecordsError, and nothing else, when the store fails.
    """

    async def load(self, node: NodeName) -> CordonRecord | None:
        """The record of a node; None: it is in service."""
        ...

    async def load_all(self) -> Mapping[NodeName, CordonRecord]:
        """Every record."""
        ...

    async def save(self, record: CordonRecord) -> None:
        """Keep this record in place of the node's last."""
        ...

    async def remove(self, node: NodeName) -> None:
        """Forget the node's record; no error if there is none."""
        ...


@dataclass(slots=True)
class MemoryCordonRecords:
    """Kept in memory only: a restart puts every node back in service."""

    records: dict[NodeName, CordonRecord] = field(default_factory=dict)

    async def load(self, node: NodeName) -> CordonRecord | None:
        """See `CordonRecords`."""
        return self.records.get(node)

    async def load_all(self) -> Mapping[NodeName, CordonRecord]:
        """See `CordonRecords`."""
        return dict(self.records)

    async def save(self, record: CordonRecord) -> None:
        """See `CordonRecords`."""
        self.records[record.node] = record

    async def remove(self, node: NodeName) -> None:
        """See `CordonRecords`."""
        self.records.pop(node, None)
