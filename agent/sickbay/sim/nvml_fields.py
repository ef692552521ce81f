"""nvmlDeviceGetFieldValues and the per-link calls of the simulated libnvidia-ml."""

from __future__ import annotations

import struct

from sickbay.host.nvml.answers import REMOTE_TYPES
from sickbay.host.nvml.catalogue import INVALID_ARGUMENT, NOT_SUPPORTED, NVLINK_STATES, SUCCESS
from sickbay.host.nvml.fields import C2C_FIELDS, FIELDS, NVLINK_FIELDS, SIGNED_32_FIELDS
from sickbay.sim.nvml_handles import of_gpu, out, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sickbay.sim.nvml import SimulatedGpu, SimulatedNvml
    from sickbay.sim.nvml_handles import Arguments, Handler

_BY_ID = {field_id: name for name, (_, field_id) in FIELDS.items()}
_LINKS_BY_ID = {field_id: name for name, (_, field_id) in {**NVLINK_FIELDS, **C2C_FIELDS}.items()}
_LINK_0 = frozenset({166})
"""Fields of which we only ever read link 0, kept in a profile as one number."""

# nvmlFieldValue_t: fieldId, scopeId, timestamp, latencyUsec, valueType, nvmlReturn, value.
_FIELD = struct.Struct("@IIqqIIQ")
_UNSIGNED_INT, _UNSIGNED_LONG_LONG, _SIGNED_INT = 1, 3, 5
# nvml.h says of few fields which member they fill; these are the ones known to be counts of 32 bits or less.
_NARROW = frozenset({29, 30, 31, 82, 91, *range(142, 146), 164, 165, 166, 170, 171, *range(185, 193), 230})
_BITS_32 = 0xFFFFFFFF


def field_values(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    """Each record of the array gets a value and a return code of its own."""
    values, state = out(arguments[2]), library.state(gpu)
    of_links: dict[str, tuple[int, Any]] = {}
    for start in range(0, plain(arguments[1]) * _FIELD.size, _FIELD.size):
        field_id, scope = _FIELD.unpack_from(values, start)[:2]
        name = _LINKS_BY_ID.get(field_id)
        if field_id in library.lacked_fields:
            code, value = INVALID_ARGUMENT, 0
        elif name is not None:
            if name not in of_links:
                of_links[name] = library.reading(gpu, name, state)
            code, value = at_link(of_links[name], scope)
        elif scope and field_id not in _LINK_0:
            code, value = NOT_SUPPORTED, 0
        else:
            name = _BY_ID.get(field_id)
            code, value = library.reading(gpu, name, state) if name else (NOT_SUPPORTED, 0)
        type_, bits = _member(field_id, value or 0)
        _FIELD.pack_into(values, start, field_id, scope, 0, 1, type_, code, bits)
    return SUCCESS


def _member(field_id: int, value: int) -> tuple[int, int]:
    if field_id in SIGNED_32_FIELDS:
        return _SIGNED_INT, value & _BITS_32
    return (_UNSIGNED_INT if field_id in _NARROW else _UNSIGNED_LONG_LONG), value


def at_link(answer: tuple[int, Any], link: int) -> tuple[int, int]:
    """(return code, value) of one link; NOT_SUPPORTED past the last, and for one without a value."""
    code, known = answer
    if code != SUCCESS:
        return code, 0
    value = known[link] if link < len(known) else None
    return (NOT_SUPPORTED, 0) if value is None else (SUCCESS, value)


def _per_link(name: str) -> Handler:
    def handler(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
        answer = library.reading(gpu, name, library.state(gpu))
        code, value = at_link(answer, plain(arguments[1]))
        if code == SUCCESS:
            out(arguments[2]).value = value
        return code

    return of_gpu(handler)


FIELD_HANDLERS: dict[str, Handler] = {
    "nvmlDeviceGetFieldValues": of_gpu(field_values),
    "nvmlDeviceGetNvLinkState": _per_link(NVLINK_STATES),
    "nvmlDeviceGetNvLinkRemoteDeviceType": _per_link(REMOTE_TYPES),
}
