"""The readings of one GPU while they are gathered: each ends as a value or as a return code."""

from __future__ import annotations

from sickbay.host.nvml.calls import CallFailedError
from sickbay.host.nvml.catalogue import GPU_IS_LOST, NOT_SUPPORTED, STABLE_CODES, SUCCESS, UNREADABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Value = int | float | str | list[int] | list[int | None]


class Gathering:
    """What one sweep learns of one GPU. `known` cannot change; `settled` the driver has refused for good."""

    __slots__ = ("_settled", "codes", "lost", "values")

    def __init__(self, known: Mapping[str, Value], settled: Mapping[str, int]) -> None:
        self._settled = settled
        self.values: dict[str, Value] = dict(known)
        self.codes: dict[str, int] = {}
        self.lost = False

    def wants(self, name: str) -> bool:
        """Whether to ask for `name`; if not, its value or its code is recorded."""
        if name in self.values:
            return False
        if self.lost:
            self.codes[name] = GPU_IS_LOST
        elif name in self._settled:
            self.codes[name] = self._settled[name]
        else:
            return True
        return False

    def take(self, names: tuple[str, ...], ask: Callable[[], tuple[tuple[Value | None, ...], int]]) -> None:
        """Ask one question, if it is worth asking.

        `ask` returns a value for each name, and the code for those that have none.
        """
        wanted = [name for name in names if self.wants(name)]
        if not wanted:
            return
        try:
            values, otherwise = ask()
        except CallFailedError as error:
            for name in wanted:
                self.put(name, error.code, 0)
            return
        for name, value in zip(names, values, strict=True):
            if name in wanted:
                self.put(name, otherwise if value is None else SUCCESS, 0 if value is None else value)

    def put(self, name: str, code: int, value: Value) -> None:
        """Record an answer."""
        if code == SUCCESS:
            self.values[name] = value
        else:
            self.codes[name] = code
            self.lost = self.lost or code == GPU_IS_LOST

    def put_links(self, name: str, answers: list[tuple[int, int | float]]) -> None:
        """Record one (return code, value) a link; only where no link answers is there no value."""
        refusals = [code for code, _ in answers if code != SUCCESS]
        if GPU_IS_LOST in refusals:
            self.put(name, GPU_IS_LOST, 0)
        elif answers and len(refusals) == len(answers):
            # One that may pass counts for more than those that stay: then it is asked again.
            self.put(name, next((code for code in refusals if code not in STABLE_CODES), refusals[0]), 0)
        else:
            self.put(name, SUCCESS, [int(value) if code == SUCCESS else None for code, value in answers])

    def refuse(self, name: str, like: str) -> None:
        """Record that `name` cannot be asked for, because the number `like` is not known, or is none."""
        if self.wants(name):
            without = NOT_SUPPORTED if self.values.get(like) == 0 else UNREADABLE
            self.put(name, self.codes.get(like, without), 0)

    def lasting_refusals(self) -> dict[str, int]:
        """What need not be asked again; nothing when the GPU is lost, which says anything."""
        if self.lost:
            return {}
        return {name: code for name, code in self.codes.items() if code in STABLE_CODES}
