"""The readings of one GPU while they are gathered: each ends as a value or as a return code."""

from __future__ import annotations

from sickbay.host.nvml.calls import CallFailedError
from sickbay.host.nvml.catalogue import GPU_IS_LOST, STABLE_CODES, SUCCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Value = int | float | str | list[int | None]


class Gathering:
    """What one sweep learns of one GPU. `settled` is what the driver has refused for good."""

    __slots__ = ("_settled", "codes", "lost", "values")

    def __init__(self, settled: Mapping[str, int]) -> None:
        self._settled = settled
        self.values: dict[str, Value] = {}
        self.codes: dict[str, int] = {}
        self.lost = False

    def wants(self, name: str) -> bool:
        """Whether to ask for `name`; if not, its code is recorded."""
        if self.lost:
            self.codes[name] = GPU_IS_LOST
        elif name in self._settled:
            self.codes[name] = self._settled[name]
        else:
            return True
        return False

    def take(self, name: str, ask: Callable[[], Value]) -> None:
        """Ask one question, if it is worth asking."""
        if self.wants(name):
            try:
                self.put(name, SUCCESS, ask())
            except CallFailedError as error:
                self.put(name, error.code, 0)

    def put(self, name: str, code: int, value: Value) -> None:
        """Record an answer."""
        if code == SUCCESS:
            self.values[name] = value
        else:
            self.codes[name] = code
            self.lost = self.lost or code == GPU_IS_LOST

    def lasting_refusals(self) -> dict[str, int]:
        """What need not be asked again; nothing when the GPU is lost, which says anything."""
        if self.lost:
            return {}
        return {name: code for name, code in self.codes.items() if code in STABLE_CODES}
