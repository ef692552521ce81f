"""What the NVLinks of each GPU fail at, link by link, from one reading to the next.

One `nvlink_errors` a GPU sums up all links and names the worst. Beside it a `nvlink_link` speaks for one
link, and only for a link that counted something, or cannot hold its bit error rate: a node of 8 GPUs with 18
links each would otherwise say 144 times every half minute that nothing is new. A link with an open condition
is spoken of every time, or nobody could tell when it is well again.

Counters: nvml.h, NVML_FI_DEV_NVLINK_COUNT_*. Up to NVLink 4 replays, recoveries and checksum errors;
NVLink 5 has a set of its own, and no board has both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.growth import Growth, growth, together
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE, level, seen

_N = TypeVar("_N")

_SUMS: Mapping[str, tuple[str, ...]] = {
    "new_replays": ("nvlink_replays",),
    "new_crc": ("nvlink_crc",),
    "new_data_errors": (
        "nvlink5_malformed",
        "nvlink5_overruns",
        "nvlink5_receive_errors",
        "nvlink5_remote_errors",
        "nvlink5_general_errors",
        "nvlink5_integrity_errors",
        "nvlink5_discards",
    ),
    "new_recoveries": ("nvlink_recoveries", "nvlink5_recoveries"),
    "new_failed_recoveries": ("nvlink5_failed_recoveries",),
}
"""Field of a link's signal -> the counters that it sums up, as far as the link's generation has them."""

_COUNTERS = tuple(name for names in _SUMS.values() for name in names)
_RETRIES = ("new_replays", "new_recoveries")
_CRC = "nvlink_crc"
_EFFECTIVE, _SYMBOL = "nvlink5_effective_ber", "nvlink5_symbol_ber"
_OF = (*_COUNTERS, _EFFECTIVE, _SYMBOL)

EFFECTIVE_BER_LIMIT = 1e-12
"""Above it NVIDIA's DCGM fails a link (DcgmHealthWatch.cpp, DCGM 4.6.0)."""

SYMBOL_BER_LIMIT = 15e-238
"""Above it the same fails a link of Blackwell: any rate that is not as good as none."""

_NO_ERRORS = 0xFFF
"""The encoding in which the driver says that no bit was wrong: mantissa 15, exponent 255."""


Column = tuple[int | None, ...]
"""One count for each link, lowest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """All links of one GPU since the reading before, in columns: a column that did not move costs nothing.

    What their generation does not count is not in `sums`; `crc` is a second, the rates are as they stand.
    """

    count: int
    sums: Mapping[str, Column]
    errors: Column
    retries: Column
    crc: Sequence[float | None]
    effective: Sequence[float | None]
    symbol: Sequence[float | None]

    @property
    def speaking(self) -> set[int]:
        """The links of which there is something to say: errors, or a bit error rate that NVIDIA fails."""
        return {
            *(link for link, errors in enumerate(self.errors) if errors),
            *(link for link, rate in enumerate(self.effective) if (rate or 0.0) > EFFECTIVE_BER_LIMIT),
            *(link for link, rate in enumerate(self.symbol) if (rate or 0.0) > SYMBOL_BER_LIMIT),
        }


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `nvlink_errors` a GPU that has links, and a `nvlink_link` for each link to speak of."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


@lru_cache(maxsize=256)
def ber(encoded: int) -> float:
    """A bit error rate from nvml.h's encoding: bits 0-7 the negative exponent, bits 8-11 the mantissa."""
    exponent, mantissa = encoded & 0xFF, encoded >> 8 & 0xF
    return 0.0 if encoded & 0xFFF == _NO_ERRORS else float(f"{mantissa}e-{exponent}")


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> Iterator[Signal]:
    if any(gpu.values.get(name) == () for name in _OF):
        return
    links = _links(growth(sweep, gpu, known.previous))
    yield from level(sweep, gpu, "nvlink_errors", _summed(links), of=_OF)
    for number in sorted(links.speaking | _concerned(gpu, known)):
        yield _of_link(sweep, gpu, links, number)


def _concerned(gpu: GpuSweep, known: Known) -> set[int]:
    parts = (part for part in known.concerned if part.scope is Scope.LINK and part.pci == gpu.pci)
    return {part.link for part in parts if part.link is not None}


def _of_link(sweep: Sweep, gpu: GpuSweep, links: _Links, number: int) -> Signal:
    subject = Subject(scope=Scope.LINK, gpu_uuid=gpu.uuid, pci=gpu.pci, link=number)
    fields: dict[str, FieldValue] = {
        **{name: _at(column, number) for name, column in links.sums.items()},
        "new_retries": _at(links.retries, number),
        "new_errors": _at(links.errors, number),
        "crc_per_second": _at(links.crc, number),
        "effective_ber": _at(links.effective, number),
        "symbol_ber": _at(links.symbol, number),
    }
    return Signal(kind="nvlink_link", subject=subject, at=sweep.at, fields=fields, sources=(SOURCE,))


def _summed(links: _Links) -> dict[str, FieldValue]:
    erring = [(errors, -link) for link, errors in enumerate(links.errors) if errors]
    certain = links.count > 0 and None not in links.errors
    return {
        "links": links.count - links.errors.count(None) if links.count else None,
        "links_with_errors": len(erring) if certain or erring else None,
        "worst_link": -max(erring)[1] if erring else (-1 if certain else None),
        "new_errors": together(links.errors),
        "new_recoveries": together(links.sums.get("new_recoveries", ())),
        "new_failed_recoveries": together(links.sums.get("new_failed_recoveries", ())),
        "worst_effective_ber": _worst(links.effective),
        "worst_symbol_ber": _worst(links.symbol),
    }


def _links(grew: Growth) -> _Links:
    gained = {name: grew.of_each(name) for name in _COUNTERS if _is_counted(grew, name)}
    rates = (_each(grew.now, _EFFECTIVE), _each(grew.now, _SYMBOL))
    count = max((len(column) for column in chain(gained.values(), rates)), default=0)
    whole = {name: column + (None,) * (count - len(column)) for name, column in gained.items()}
    sums = {
        name: _added([whole[counter] for counter in counters if counter in whole], count)
        for name, counters in _SUMS.items()
        if not whole.keys().isdisjoint(counters)
    }
    return _Links(
        count=count,
        sums=sums,
        errors=_added(list(sums.values()), count),
        retries=_added([sums[name] for name in _RETRIES if name in sums], count),
        crc=[None if crc is None else round(crc / grew.seconds, 2) for crc in whole.get(_CRC, ())],
        effective=[None if rate is None else ber(rate) for rate in rates[0]],
        symbol=[None if rate is None else ber(rate) for rate in rates[1]],
    )


def _added(columns: Sequence[Column], count: int) -> Column:
    """Columns added up link by link; unknown for every link where there are none."""
    moved = [column for column in columns if column.count(0) < count]
    if not moved:
        return columns[0] if columns else (None,) * count
    return tuple(together(counts) for counts in zip(*columns, strict=True))


def _is_counted(grew: Growth, name: str) -> bool:
    """Whether this board has the counter: it says so of any link, or said so in the reading before."""
    said = (_each(grew.now, name), _each(grew.before, name) if grew.before is not None else ())
    return any(column.count(None) < len(column) for column in said)


def _each(gpu: GpuSweep, name: str) -> Column:
    values = gpu.values.get(name)
    return values if isinstance(values, tuple) else ()


def _at(column: Sequence[_N], number: int) -> _N | None:
    return column[number] if number < len(column) else None


def _worst(rates: Iterable[float | None]) -> float | None:
    return max((rate for rate in rates if rate is not None), default=None)
