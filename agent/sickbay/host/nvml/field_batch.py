"""Many numbered fields of one GPU in one driver call, read out of an array that is used again."""

from __future__ import annotations

import ctypes
import struct

import pynvml

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import INVALID_ARGUMENT, SUCCESS, UNKNOWN, UNREADABLE
from sickbay.host.nvml.fields import SIGNED_32_FIELDS, UNSIGNED_32_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    Wanted = tuple[tuple[str, int, int], ...]
    Answer = tuple[str, int, int | float]

# nvmlFieldValue_t: fieldId, scopeId, timestamp, latencyUsec, valueType, nvmlReturn, value (an 8-byte union).
_RECORD = "IIqqIIQ"
_WIDTH = len(_RECORD)
_FIELD, _TYPE, _CODE, _VALUE = 0, 4, 5, 6


class FieldBatch:
    """A fixed list of (reading, field id, scope), for one GPU after another."""

    __slots__ = ("_array", "_count", "_empty", "_layout", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._count = ctypes.c_int(len(wanted))
        self._array = (pynvml.c_nvmlFieldValue_t * len(wanted))()
        self._layout = struct.Struct("@" + _RECORD * len(wanted))
        for position, (_, field_id, scope) in enumerate(wanted):
            self._array[position].fieldId = field_id
            self._array[position].scopeId = scope
            self._array[position].nvmlReturn = UNKNOWN
        self._empty = bytes(self._array)

    def read(self, caller: Caller, gpu: int, handle: object) -> list[Answer]:
        """(reading, return code, value) a field. CallFailedError when the call itself fails."""
        # A field that the driver should pass over must not keep what another GPU answered.
        ctypes.memmove(self._array, self._empty, len(self._empty))
        caller.ask("nvmlDeviceGetFieldValues", handle, self._count, self._array, gpu=gpu)
        flat = self._layout.unpack_from(self._array)
        return [self._one(name, flat, row * _WIDTH) for row, (name, _, _) in enumerate(self.wanted)]

    def refusals(self, otherwise: int) -> list[Answer]:
        """After a call that failed: each field's own return code, and `otherwise` where it has none."""
        flat = self._layout.unpack_from(self._array)
        own = [flat[row * _WIDTH + _CODE] for row in range(len(self.wanted))]
        return [
            (name, otherwise if code in {SUCCESS, UNKNOWN} else code, 0)
            for (name, _, _), code in zip(self.wanted, own, strict=True)
        ]

    @staticmethod
    def _one(name: str, flat: tuple[int, ...], at: int) -> Answer:
        code = flat[at + _CODE]
        if code != SUCCESS:
            return name, code, 0
        value_type = _FORCED.get(flat[at + _FIELD], flat[at + _TYPE])
        value = decode(value_type, flat[at + _VALUE])
        return (name, UNREADABLE, 0) if value is None else (name, SUCCESS, value)


class Batches:
    """Every batch that was needed, to be used again: few, one for each set of groups that were due."""

    __slots__ = ("_by_wanted",)

    def __init__(self) -> None:
        self._by_wanted: dict[Wanted, FieldBatch] = {}

    def read(self, wanted: Wanted, caller: Caller, gpu: int, handle: object) -> list[Answer]:
        """(reading, return code, value) of each (reading, field id, scope), in one call if that is answered.

        By nvml.h a field that the driver does not know is refused alone. Should one refuse the whole call for
        it, that one is searched for by halves, so that it takes no other along.
        """
        if not wanted:
            return []
        batch = self._by_wanted.get(wanted) or self._by_wanted.setdefault(wanted, FieldBatch(wanted))
        try:
            return batch.read(caller, gpu, handle)
        except CallFailedError as error:
            answers = batch.refusals(error.code)
            if len(wanted) == 1 or any(code != INVALID_ARGUMENT for _, code, _ in answers):
                return answers
        middle = len(wanted) // 2
        return [
            *self.read(wanted[:middle], caller, gpu, handle),
            *self.read(wanted[middle:], caller, gpu, handle),
        ]


def decode(value_type: int, union: int) -> int | float | None:
    """A member of nvmlValue_t by its nvmlValueType_t; None for an unknown type or for what is no number."""
    mask = _UNSIGNED.get(value_type)
    if mask is not None:
        return union & mask  # nearly every field, hundreds a sweep where there are many links
    format_ = _TYPES.get(value_type)
    if format_ is None:
        return None
    number = struct.unpack_from(format_, struct.pack("=Q", union))[0]
    return number if number - number == 0 else None  # false for infinities and for what is not a number


# dVal, uiVal, ulVal (64 bits on Linux), ullVal, sllVal, siVal, usVal: nvmlValueType_t 0 to 6.
_TYPES = {0: "=d", 4: "=q", 5: "=i"}
_UNSIGNED = {1: 0xFFFFFFFF, 2: 0xFFFFFFFFFFFFFFFF, 3: 0xFFFFFFFFFFFFFFFF, 6: 0xFFFF}
"""Members that lie in the union's low bytes: the driver exists for little-endian machines alone."""

_FORCED = {**dict.fromkeys(UNSIGNED_32_FIELDS, 1), **dict.fromkeys(SIGNED_32_FIELDS, 5)}
