"""What one line of the kernel log says about a part of this host, and how such lines begin."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from msgspec import Struct

from sickbay.core.signal_fields import FieldValue

_NOTHING: Mapping[str, FieldValue] = MappingProxyType({})


class KernelLine(Struct, frozen=True, kw_only=True, gc=False):
    """One event, in the words of `core.kinds.kernel_faults`.

    `part` names what the line speaks of: a disk, a file system's device, a CPU, a PCI address with its
    function; empty for the host as a whole. `pci` is the slot (`0000:1b:00`) where the line says one, and
    `is_gpu` that NVIDIA's driver holds it.

    Lines of one kind, part and `detail` are equal, however else they differ, and become one signal with a
    count; `times` is how many events one line stands for. A line that `continues` adds its fields to the
    event of the same kind and part just before it, and one that `precedes` to the event just after it.
    """

    kind: str
    part: str = ""
    pci: str = ""
    is_gpu: bool = False
    fields: Mapping[str, FieldValue] = _NOTHING
    detail: Hashable = ()
    times: int = 1
    continues: bool = False
    precedes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Lines of one part of the kernel: what they begin with or hold, as bytes, and how they are read."""

    parse: Callable[[str], KernelLine | None]
    starts: tuple[bytes, ...]
    holds: tuple[bytes, ...] = ()
