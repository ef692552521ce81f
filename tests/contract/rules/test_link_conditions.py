"""Every condition of a link opens and clears, by monitor and rules, and neither on what is unknown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from tests.fakes.sweeps import PCI, UUID, gpu, sweep
from tests.support.rules import START, Host

from sickbay.core.conditions import Mode
from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.readings import Sweep, Value
from sickbay.host.pcie_aer import AerCounts, AerLink
from sickbay.host.platform_files import load_platforms
from sickbay.host.rule_files import load_rules
from sickbay.monitors import c2c, fabric, nvlink, nvlink_errors, pcie, pcie_aer
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.known import Known

RULES = load_rules().rules
PLATFORMS = load_platforms().platforms
TIMEOUT = 10
HALF_HOUR, OVER_AN_HOUR = 1800.0, 4200.0

LINKS_UP = (1,) * 18
NO_ERRORS = (0,) * 18
NO_BIT_ERRORS = (0xFFF,) * 18
UNSUPPORTED = (None,) * 18
OLD_COUNTERS = ("nvlink_replays", "nvlink_recoveries", "nvlink_crc")
HOPPER_LINKS: dict[str, Value] = dict.fromkeys(OLD_COUNTERS, NO_ERRORS)
BLACKWELL_LINKS: dict[str, Value] = {
    **dict.fromkeys(HOPPER_LINKS, UNSUPPORTED),
    **dict.fromkeys(
        (
            *("nvlink5_malformed", "nvlink5_overruns", "nvlink5_receive_errors", "nvlink5_remote_errors"),
            *("nvlink5_general_errors", "nvlink5_integrity_errors", "nvlink5_discards"),
            *("nvlink5_recoveries", "nvlink5_failed_recoveries"),
        ),
        NO_ERRORS,
    ),
    "nvlink5_effective_ber": NO_BIT_ERRORS,
    "nvlink5_symbol_ber": NO_BIT_ERRORS,
}
PCIE_LINK: dict[str, Value] = {
    "pcie_gen": 5,
    "pcie_width": 16,
    "pcie_max_gen": 5,
    "pcie_max_width": 16,
    "clocks_reasons": 0,
    **dict.fromkeys(("pcie_replays", "pcie_correctable", "pcie_non_fatal", "pcie_fatal"), 0),
}
FABRIC: dict[str, Value] = {
    "fabric_state": 3,
    "fabric_status": 0,
    "fabric_clique": 0,
    "fabric_cluster": "5e1f",
    "fabric_health_summary": 1,
    "fabric_health_mask": 0b10_10_0001_10_10_10_10,
}
GRACE: dict[str, Value] = {
    "pci_device_id": "0x234210DE",
    "c2c_links": 2,
    "c2c_states": (1, 1),
    **dict.fromkeys(("c2c_interrupts", "c2c_replays", "c2c_replays_back_to_back"), (0, 0)),
}


def on_link(number: int, amount: int, *, others: int = 0) -> tuple[int | None, ...]:
    """A value for one of eighteen links."""
    return tuple(amount if link == number else others for link in range(18))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way for a link to be ill: what a healthy GPU reads, what is otherwise, and what grows meanwhile."""

    types: tuple[str, ...]
    judge: Callable[[Sweep, Known], tuple[Signal, ...]]
    well: Mapping[str, Value]
    ill: Mapping[str, Value] = field(default_factory=dict)
    grows: Mapping[str, int | tuple[int | None, ...]] = field(default_factory=dict)
    every: float = 10.0
    link: int | None = None
    company: int = 0

    def __str__(self) -> str:
        return "-".join(self.types)


def pcie_case(*types: str, grows: dict[str, int] | None = None, **ill: Value) -> Case:
    return Case(types=types, judge=pcie.signals, well=PCIE_LINK, ill=ill, grows=grows or {})


def nvlink_case(*types: str, **ill: Value) -> Case:
    return Case(
        types=types,
        judge=nvlink.signals,
        well={"nvlink_version": 6, "nvlink_speeds_mbps": (26562,) * 18},
        ill=ill,
    )


def link_case(
    type_: str,
    well: Mapping[str, Value],
    *,
    grows: dict[str, tuple[int | None, ...]] | None = None,
    **ill: Value,
) -> Case:
    return Case(
        types=(type_,),
        judge=nvlink_errors.signals,
        well=well,
        ill=ill,
        grows=grows or {},
        every=30.0,
        link=7,
    )


def fabric_case(*types: str, company: int = 0, **ill: Value) -> Case:
    return Case(
        types=types,
        judge=lambda seen, _known: fabric.signals(seen),
        well=FABRIC,
        ill=ill,
        every=30.0,
        company=company,
    )


def masked(part: int, shift: int, bits: int = 0x3) -> int:
    """The healthy mask with one part of it replaced."""
    return int(FABRIC["fabric_health_mask"]) & ~(bits << shift) | part << shift  # type: ignore[arg-type]


def c2c_case(type_: str, *, grows: dict[str, tuple[int | None, ...]] | None = None, **ill: Value) -> Case:
    return Case(types=(type_,), judge=c2c.signals, well=GRACE, ill=ill, grows=grows or {}, every=60.0)


CASES = [
    pcie_case("PcieGenerationLow", pcie_gen=3),
    pcie_case("PcieWidthLow", pcie_width=8),
    pcie_case("PcieReplays", grows={"pcie_replays": 10}),
    pcie_case("PcieFatalErrors", grows={"pcie_fatal": 1}),
    pcie_case("PcieNonFatalErrors", grows={"pcie_non_fatal": 1}),
    pcie_case("PcieCorrectableErrors", grows={"pcie_correctable": 100}),
    nvlink_case("NvlinkInactive", nvlink_states=on_link(3, 0, others=1)),
    nvlink_case("NvlinkMissing", nvlink_states=LINKS_UP[:12]),
    nvlink_case("NvlinkInactive", "NvlinkWithoutTraffic", nvlink_states=on_link(3, 3, others=1)),
    nvlink_case("NvlinkVersionLow", nvlink_version=5),
    nvlink_case("NvlinkSpeedLow", nvlink_speeds_mbps=on_link(4, 13281, others=26562)),
    link_case("NvlinkRetries", HOPPER_LINKS, grows={"nvlink_replays": on_link(7, 1)}),
    link_case("NvlinkRetries", BLACKWELL_LINKS, grows={"nvlink5_recoveries": on_link(7, 1)}),
    link_case("NvlinkCrcRate", HOPPER_LINKS, grows={"nvlink_crc": on_link(7, 3000)}),
    link_case("NvlinkDataErrors", BLACKWELL_LINKS, grows={"nvlink5_discards": on_link(7, 2)}),
    link_case("NvlinkRecoveryFailed", BLACKWELL_LINKS, grows={"nvlink5_failed_recoveries": on_link(7, 1)}),
    link_case("NvlinkBitErrors", BLACKWELL_LINKS, nvlink5_effective_ber=on_link(7, 0x109, others=0xFFF)),
    link_case("NvlinkSymbolErrors", BLACKWELL_LINKS, nvlink5_symbol_ber=on_link(7, 0x10F, others=0xFFF)),
    fabric_case("FabricNotJoined", fabric_state=2),
    fabric_case("FabricNotJoined", fabric_state=1),
    fabric_case("FabricFailed", fabric_status=999),
    fabric_case("FabricCliqueDiffers", fabric_clique=3, company=2),
    fabric_case("FabricUnhealthy", fabric_health_summary=2),
    fabric_case("FabricUnhealthy", fabric_health_summary=3),
    fabric_case("FabricDegradedBandwidth", fabric_health_mask=masked(1, 0)),
    fabric_case("FabricRouteUnhealthy", fabric_health_mask=masked(1, 4)),
    fabric_case("FabricRecovering", fabric_health_mask=masked(1, 2)),
    fabric_case("FabricRecovering", fabric_health_mask=masked(1, 6)),
    fabric_case("FabricIncorrectConfig", fabric_health_mask=masked(5, 8, 0xF)),
    c2c_case("C2cInactive", c2c_states=(1, 0)),
    c2c_case("C2cErrors", grows={"c2c_interrupts": (0, 1)}),
]
OF_CASES = pytest.mark.parametrize("case", CASES, ids=str)


@dataclass(kw_only=True)
class Story:
    """Sweeps of one GPU, told by the case's monitor to the built-in rules."""

    case: Case
    host: Host = field(default_factory=lambda: Host(rules=RULES))
    now: float = 0.0
    before: Sweep | None = None
    counters: dict[str, Value] = field(default_factory=dict)

    def well(self, seconds: float) -> set[str]:
        return self._sweeps(seconds, {}, grows=False)

    def ill(self, seconds: float) -> set[str]:
        return self._sweeps(seconds, self.case.ill, grows=True)

    def unknown(self, seconds: float) -> set[str]:
        names = {*self.case.well, *self.case.ill, "nvlink_states"} - {"pci_device_id"}
        return self._sweeps(seconds, {}, grows=False, codes=dict.fromkeys(names, TIMEOUT))

    def _sweeps(
        self, seconds: float, ill: Mapping[str, Value], *, grows: bool, codes: dict[str, int] | None = None
    ) -> set[str]:
        ends = self.now + seconds
        while self.now < ends:
            self.now += self.case.every
            if grows:
                self._grow()
            one = gpu(codes=codes, **{**self.case.well, **ill, **self.counters})
            self._judge(one if codes else replace(one, codes={}))
        return self.host.types()

    def _grow(self) -> None:
        for name, gain in self.case.grows.items():
            old = self.counters.get(name, self.case.well[name])
            if isinstance(old, tuple) and isinstance(gain, tuple):
                self.counters[name] = tuple((a or 0) + (b or 0) for a, b in zip(old, gain, strict=True))
            elif isinstance(old, int) and isinstance(gain, int):
                self.counters[name] = old + gain

    def _judge(self, one: object) -> None:
        others = [gpu(pci=f"0000:{bus:02x}:00", **self.case.well) for bus in range(self.case.company)]
        seen = replace(sweep(one, *others), at=START.later(self.now))  # type: ignore[arg-type]
        known = Known(
            previous=self.before,
            platforms=PLATFORMS,
            concerned=frozenset(condition.subject for condition in self.host.state.conditions),
        )
        signals = self.case.judge(seen, known)
        assert all(is_declared(signal) for signal in signals)
        self.host.see(*signals, at=self.now)
        self.before = seen


@OF_CASES
def test_a_link_is_well_ill_and_well_again(case: Case) -> None:
    story = Story(case=case)
    assert story.well(HALF_HOUR) == set()
    assert story.ill(HALF_HOUR) == set(case.types)
    conditions = story.host.state.conditions
    assert {condition.mode for condition in conditions} == {Mode.OBSERVE}
    scope = Scope.GPU if case.link is None else Scope.LINK
    part = Subject(scope=scope, gpu_uuid=UUID, pci=PCI, link=case.link)
    assert {condition.subject for condition in conditions} == {part}
    assert story.well(OVER_AN_HOUR) == set()


@OF_CASES
def test_what_is_unknown_opens_nothing(case: Case) -> None:
    story = Story(case=case)
    assert story.well(HALF_HOUR) == set()
    assert story.unknown(HALF_HOUR) == set()
    assert story.well(HALF_HOUR) == set()


@OF_CASES
def test_what_is_unknown_ends_nothing(case: Case) -> None:
    story = Story(case=case)
    story.ill(HALF_HOUR)
    assert story.unknown(OVER_AN_HOUR) == set(case.types)
    assert story.well(OVER_AN_HOUR) == set()


def test_one_link_is_well_again_while_another_errs_on() -> None:
    both = link_case("NvlinkRetries", HOPPER_LINKS, grows={"nvlink_replays": (1, 0, 1, *NO_ERRORS[3:])})
    story = Story(case=both)
    story.ill(HALF_HOUR)
    assert [condition.subject.link for condition in story.host.state.conditions] == [0, 2]
    story.case = replace(both, grows={"nvlink_replays": on_link(2, 1)})
    story.ill(OVER_AN_HOUR)
    assert [condition.subject.link for condition in story.host.state.conditions] == [2]


def test_a_reset_that_takes_the_counters_back_lets_a_link_be_well_again() -> None:
    story = Story(case=link_case("NvlinkRetries", HOPPER_LINKS, grows={"nvlink_replays": on_link(7, 1)}))
    story.ill(HALF_HOUR)
    story.counters.clear()
    assert story.well(OVER_AN_HOUR) == set()


def test_a_resting_gpu_neither_has_nor_loses_a_slow_link() -> None:
    story = Story(case=pcie_case("PcieGenerationLow", pcie_gen=1))
    working = story.case
    story.case = replace(working, well={**PCIE_LINK, "clocks_reasons": 1, "performance_state": 8})
    assert story.ill(HALF_HOUR) == set()
    story.case = working
    assert story.ill(HALF_HOUR) == {"PcieGenerationLow"}
    story.case = replace(working, well={**PCIE_LINK, "clocks_reasons": 1, "performance_state": 8})
    assert story.well(HALF_HOUR) == {"PcieGenerationLow"}


def test_bursts_of_replays_are_told_and_single_ones_tolerated() -> None:
    story = Story(case=pcie_case("PcieReplays", grows={"pcie_replays": 40}))
    quiet = replace(story.case, grows={"pcie_replays": 1})
    story.ill(10)
    assert story.well(HALF_HOUR) == set()
    burst, story.case = story.case, quiet
    assert story.ill(HALF_HOUR) == set()
    story.case = burst
    for _ in range(2):
        story.ill(10)
        story.well(100)
    assert story.host.types() == {"PcieReplays"}
    assert story.well(OVER_AN_HOUR) == set()


def test_links_of_a_gpu_that_is_split_are_passed_over() -> None:
    down = nvlink_case("NvlinkInactive", nvlink_states=on_link(3, 0, others=1))
    story = Story(case=replace(down, well={**down.well, "mig_mode": 1}))
    assert story.ill(HALF_HOUR) == set()


def test_fewer_c2c_links_than_a_site_expects_are_missing(host_of_two: Host) -> None:
    quiet = host_of_two
    for at in range(0, 600, 60):
        quiet.see(told(at, missing=1))
    assert quiet.types() == {"C2cMissing"}
    for at in range(600, 1200, 60):
        quiet.see(told(at, missing=None))
    assert quiet.types() == {"C2cMissing"}
    for at in range(1200, 1800, 60):
        quiet.see(told(at, missing=0))
    assert quiet.types() == set()


@pytest.fixture
def host_of_two() -> Host:
    return Host(rules=RULES)


def told(at: float, *, missing: int | None) -> Signal:
    """No built-in profile counts C2C links, so here the signal itself is told."""
    return Signal(
        kind="c2c",
        subject=Subject(scope=Scope.GPU, gpu_uuid=UUID, pci=PCI),
        at=START.later(at),
        fields={"links": 2, "missing": missing},
    )


# -- the kernel's own counters ---------------------------------------------------------------------------


@dataclass(kw_only=True)
class AerStory:
    """The kernel's counts of one GPU's link, read every half minute."""

    host: Host = field(default_factory=lambda: Host(rules=RULES))
    now: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: {"correctable": 0, "non_fatal": 0, "fatal": 0})
    before: pcie_aer.AerReading | None = None

    def goes(self, seconds: float, *, is_known: bool = True, **gains: int) -> set[str]:
        """Let counts grow by so much a reading for so long; the types of what is open then."""
        ends = self.now + seconds
        while self.now < ends:
            self.now += 30.0
            self.counts = {kind: count + gains.get(kind, 0) for kind, count in self.counts.items()}
            self._judge({kind: {"Some": count} for kind, count in self.counts.items()} if is_known else {})
        return self.host.types()

    def _judge(self, counts: dict[str, dict[str, int]]) -> None:
        known = HostKnown(now=START.later(self.now))
        link = AerLink(pci=PCI, gpu=AerCounts(**counts))  # type: ignore[arg-type]
        reading = pcie_aer.carry(pcie_aer.AerReading(links=(link,)), self.before, known)
        self.host.see(*pcie_aer.signals(reading, self.before, known), at=self.now)
        self.before = reading


@pytest.mark.parametrize(
    ("type_", "gains"),
    [
        ("PcieAerFatal", {"fatal": 1}),
        ("PcieAerNonFatal", {"non_fatal": 1}),
        ("PcieAerCorrectable", {"correctable": 300}),
    ],
)
def test_what_the_kernel_counts_opens_and_clears(type_: str, gains: dict[str, int]) -> None:
    story = AerStory()
    assert story.goes(HALF_HOUR) == set()
    assert story.goes(HALF_HOUR, is_known=False) == set()
    assert story.goes(HALF_HOUR) == set()
    assert story.goes(HALF_HOUR, **gains) == {type_}
    assert story.goes(OVER_AN_HOUR, is_known=False) == {type_}
    assert story.goes(OVER_AN_HOUR) == set()


def test_every_condition_of_a_link_is_driven_here() -> None:
    files = {"pcie.yaml", "nvlink.yaml", "fabric.yaml"}
    made = {rule.condition.type for rule in RULES.rules if rule.layer.rsplit("/", 1)[-1] in files}
    driven = {type_ for case in CASES for type_ in case.types}
    assert made == driven | {"PcieAerFatal", "PcieAerNonFatal", "PcieAerCorrectable", "C2cMissing"}
