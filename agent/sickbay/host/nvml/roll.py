"""The GPUs that a host is known to have, under the names by which a worker is asked for them.

Asked by PCI address once that is known, because that opens one GPU and touches no other; by NVML's index
(`#3`) only until then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.host.nvml.messages import SweptGpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Every known GPU. `uuids` maps an address to the UUID that the GPU there last told."""

    targets: tuple[str, ...] = ()
    uuids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, addresses: Iterable[str]) -> "Roll":
        """A host whose GPUs were known before."""
        return cls(targets=tuple(sorted(set(addresses))))

    def counted(self, count: int) -> "Roll":
        """The driver lists `count` GPUs; with no address known yet, they are asked for by index."""
        if self.targets:
            return self
        return replace(self, targets=tuple(f"#{index}" for index in range(count)))

    def searching(self, count: int) -> "Roll":
        """All GPUs by index once more, because the driver lists some whose address is not known."""
        return replace(self, targets=tuple(f"#{index}" for index in range(count)) + self._addressed())

    def learn(self, answers: Sequence[SweptGpu]) -> "Roll":
        """Take addresses and UUIDs from what the GPUs answered."""
        names = {answer.target: answer.pci for answer in answers if answer.pci}
        targets = dict.fromkeys(names.get(target) or target for target in self.targets)
        told = {
            answer.pci: uuid
            for answer in answers
            if answer.pci and isinstance(uuid := answer.values.get("uuid"), str)
        }
        return Roll(
            targets=tuple(sorted(targets, key=_addresses_first)),
            uuids=MappingProxyType({**self.uuids, **told}),
        )

    def _addressed(self) -> tuple[str, ...]:
        return tuple(target for target in self.targets if not target.startswith("#"))


def _addresses_first(target: str) -> tuple[bool, str]:
    return target.startswith("#"), target
