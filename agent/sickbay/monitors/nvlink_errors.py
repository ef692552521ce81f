"""What the NVLinks of each GPU fail at, link by link, from one reading to the next.

One `nvlink_errors` a GPU sums up all links and names the worst. Beside it a `nvlink_link` speaks for one
link, and only for a link that counted something, or cannot hold its bit error rate: a node of 8 GPUs with 18
links each would otherwise say 144 times every half minute that nothing is new. A link with an open condition
is spoken of every time, or nobody could tell when it is well again.

Counters: nvml.h, NVML_FI_DEV_NVLINK_COUNT_*. Up to NVLink 4 replays, recoveries and checksum errors;
NVLink 5 has a set of its own, and no board has both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.growth import Growth, growth, together
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE, level, seen

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
_CRC = "nvlink_crc"
_EFFECTIVE, _SYMBOL = "nvlink5_effective_ber", "nvlink5_symbol_ber"
_OF = (*_COUNTERS, _EFFECTIVE, _SYMBOL)

EFFECTIVE_BER_LIMIT = 1e-12
"""Above it NVIDIA's DCGM fails a link (DcgmHealthWatch.cpp, DCGM 4.6.0)."""

SYMBOL_BER_LIMIT = 15e-238
"""Above it the same fails a link of Blackwell: any rate that is not as good as none."""

_NO_ERRORS = 0xFFF
"""The encoding in which the driver says that no bit was wrong: mantissa 15, exponent 255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """One link since the reading before. What its generation does not count is not in `sums`."""

    number: int
    sums: Mapping[str, int | None] = field(default_factory=dict)
    crc_per_second: float | None = None
    effective_ber: float | None = None
    symbol_ber: float | None = None

    @property
    def errors(self) -> int | None:
        """All that it counted: at least so much where it is something, and unknown where it may be."""
        return together(self.sums.values())

    @property
    def retries(self) -> int | None:
        """How often it had to send again or recover, whichever of them its generation counts."""
        return together(self.sums[name] for name in ("new_replays", "new_recoveries") if name in self.sums)

    @property
    def speaks(self) -> bool:
        """Whether there is something to say of it: errors, or a bit error rate that NVIDIA fails."""
        effective, symbol = self.effective_ber or 0.0, self.symbol_ber or 0.0
        return bool(self.errors) or effective > EFFECTIVE_BER_LIMIT or symbol > SYMBOL_BER_LIMIT


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `nvlink_errors` a GPU that has links, and a `nvlink_link` for each link to speak of."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def ber(encoded: int) -> float:
    """A bit error rate from nvml.h's encoding: bits 0-7 the negative exponent, bits 8-11 the mantissa."""
    exponent, mantissa = encoded & 0xFF, encoded >> 8 & 0xF
    return 0.0 if encoded & 0xFFF == _NO_ERRORS else float(f"{mantissa}e-{exponent}")


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> Iterator[Signal]:
    if any(gpu.values.get(name) == () for name in _OF):
        return
    links = {link.number: link for link in _links(growth(sweep, gpu, known.previous))}
    yield from level(sweep, gpu, "nvlink_errors", _summed(tuple(links.values())), of=_OF)
    wanted = {link.number for link in links.values() if link.speaks} | _concerned(gpu, known)
    for number in sorted(wanted):
        yield _of_link(sweep, gpu, links.get(number, _Link(number=number)))


def _concerned(gpu: GpuSweep, known: Known) -> set[int]:
    parts = (part for part in known.concerned if part.scope is Scope.LINK and part.pci == gpu.pci)
    return {part.link for part in parts if part.link is not None}


def _of_link(sweep: Sweep, gpu: GpuSweep, link: _Link) -> Signal:
    subject = Subject(scope=Scope.LINK, gpu_uuid=gpu.uuid, pci=gpu.pci, link=link.number)
    fields: dict[str, FieldValue] = {
        **link.sums,
        "new_retries": link.retries,
        "new_errors": link.errors,
        "crc_per_second": link.crc_per_second,
        "effective_ber": link.effective_ber,
        "symbol_ber": link.symbol_ber,
    }
    return Signal(kind="nvlink_link", subject=subject, at=sweep.at, fields=fields, sources=(SOURCE,))


def _summed(links: Sequence[_Link]) -> dict[str, FieldValue]:
    counts = [(link.errors, -link.number) for link in links if link.errors is not None]
    erring = [each for each in counts if each[0]]
    certain = bool(links) and len(counts) == len(links)
    return {
        "links": len(counts) if links else None,
        "links_with_errors": len(erring) if certain or erring else None,
        "worst_link": -max(erring)[1] if erring else (-1 if certain else None),
        "new_errors": together(link.errors for link in links),
        "new_recoveries": together(link.sums.get("new_recoveries") for link in links),
        "new_failed_recoveries": together(
            link.sums["new_failed_recoveries"] for link in links if "new_failed_recoveries" in link.sums
        ),
        "worst_effective_ber": _worst(link.effective_ber for link in links),
        "worst_symbol_ber": _worst(link.symbol_ber for link in links),
    }


def _links(grew: Growth) -> Sequence[_Link]:
    gained = {name: grew.of_each(name) for name in _COUNTERS if _is_counted(grew, name)}
    rates = (_each(grew.now, _EFFECTIVE), _each(grew.now, _SYMBOL))
    count = max((len(each) for each in (*gained.values(), *rates)), default=0)
    return [_link(number, gained, rates, grew.seconds) for number in range(count)]


def _link(
    number: int,
    gained: Mapping[str, Sequence[int | None]],
    rates: tuple[Sequence[int | None], Sequence[int | None]],
    seconds: float,
) -> _Link:
    sums = {
        field: together([_at(gained[name], number) for name in names if name in gained])
        for field, names in _SUMS.items()
        if gained.keys() & set(names)
    }
    crc = _at(gained.get(_CRC, ()), number)
    effective, symbol = (_at(rate, number) for rate in rates)
    return _Link(
        number=number,
        sums=sums,
        crc_per_second=None if crc is None else round(crc / seconds, 2),
        effective_ber=None if effective is None else ber(effective),
        symbol_ber=None if symbol is None else ber(symbol),
    )


def _is_counted(grew: Growth, name: str) -> bool:
    """Whether this board has the counter: it says so of any link, or said so in the reading before."""
    said = _each(grew.now, name) + (_each(grew.before, name) if grew.before is not None else ())
    return any(value is not None for value in said)


def _each(gpu: GpuSweep, name: str) -> tuple[int | None, ...]:
    values = gpu.values.get(name)
    return values if isinstance(values, tuple) else ()


def _at(values: Sequence[int | None], number: int) -> int | None:
    return values[number] if number < len(values) else None


def _worst(rates: Iterable[float | None]) -> float | None:
    return max((rate for rate in rates if rate is not None), default=None)
