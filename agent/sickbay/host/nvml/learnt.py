"""What each GPU has been found able to tell since the driver was loaded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.host.nvml.catalogue import SUCCESS
from sickbay.host.nvml.messages import SweptGpu

_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """For each address the last return code of each reading that was ever asked for."""

    by_pci: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, pci: str) -> Mapping[str, int]:
        """One GPU's; empty when nothing is known of it."""
        return self.by_pci.get(pci, _NOTHING)

    def after(self, answers: Sequence[SweptGpu]) -> "Learnt":
        """With what these answers tell. A GPU that could not be asked, or is lost, tells nothing about it."""
        news = {answer.pci: self._of(answer) for answer in answers if answer.pci and answer.code == SUCCESS}
        if all(self.by_pci.get(pci) is codes for pci, codes in news.items()):
            return self
        return Learnt(by_pci=MappingProxyType({**self.by_pci, **news}))

    def _of(self, answer: SweptGpu) -> Mapping[str, int]:
        # Nearly always nothing is new, and then nothing is made: this runs with every sweep.
        before = self.of(answer.pci or "")
        now = {**dict.fromkeys(answer.values, SUCCESS), **answer.codes}
        return before if now.items() <= before.items() else MappingProxyType({**before, **now})
