"""What the kernel's counts of PCIe errors say from one reading to the next."""

from tests.fakes.sweeps import PCI, START, UUID, only

from sickbay.core.devices import Gpu, Inventory
from sickbay.core.signals import Signal
from sickbay.host.pcie_aer import AerCounts, AerLink
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.pcie_aer import AerReading, carry, signals

PORT = "0000:18:01.0"
NOTHING = {"RxErr": 0, "BadTLP": 0}


def known(after: float = 0.0) -> HostKnown:
    gpus = (Gpu(uuid=UUID, pci=PCI, slot=0),)
    return HostKnown(now=START.later(after), inventory=Inventory(gpus=gpus))


def counts(correctable: dict[str, int] | None = None, non_fatal: int = 0, fatal: int = 0) -> AerCounts:
    return AerCounts(
        correctable=correctable or NOTHING, non_fatal={"CmpltTO": non_fatal}, fatal={"DLP": fatal}
    )


def reading(gpu: AerCounts, above: AerCounts | None = None, after: float = 0.0) -> AerReading:
    link = AerLink(pci=PCI, gpu=gpu, port=PORT if above else "", above=above or AerCounts())
    return carry(AerReading(links=(link,)), None, known(after))


def between(before: AerReading | None, now: AerReading, after: float = 30.0) -> Signal:
    return only(signals(now, before, known(after)))


def test_a_link_goes_bad_and_is_well_again():
    well, bad = reading(counts()), reading(counts({"RxErr": 50, "BadTLP": 1}), after=30)
    later = reading(counts({"RxErr": 50, "BadTLP": 1}), after=60)
    assert between(well, bad).fields["correctable_per_minute"] == 102.0
    assert between(well, bad).fields["worst"] == "RxErr"
    assert between(bad, later, 60).fields["correctable_per_minute"] == 0.0
    assert between(bad, later, 60).fields["worst"] == ""


def test_errors_of_the_port_above_are_errors_of_the_link():
    before = reading(counts(), counts())
    now = reading(counts(non_fatal=1), counts(non_fatal=2, fatal=1), after=30)
    fields = between(before, now).fields
    assert (fields["new_non_fatal"], fields["new_fatal"], fields["port"]) == (3, 1, PORT)
    assert (fields["non_fatal"], fields["fatal"], fields["correctable"]) == (3, 1, 0)


def test_what_is_new_is_unknown_at_first_and_where_a_count_went_back():
    first = between(None, reading(counts(non_fatal=9)))
    back = between(reading(counts(non_fatal=9)), reading(counts(non_fatal=1), after=30))
    assert (first.fields["new_non_fatal"], back.fields["new_non_fatal"]) == (None, None)
    assert (first.fields["worst"], back.fields["new_fatal"]) == (None, 0)


def test_a_gpu_behind_another_port_is_not_compared():
    before, now = reading(counts(), counts()), reading(counts(fatal=1), after=30)
    assert between(before, now).fields["new_fatal"] is None


def test_what_is_not_counted_is_unknown():
    bare = AerCounts(correctable=NOTHING)
    fields = between(reading(bare), reading(bare, after=30)).fields
    assert (fields["fatal"], fields["correctable"]) == (None, 0)


def test_a_gpu_keeps_its_name_and_one_that_nobody_counts_says_nothing():
    assert between(None, reading(counts())).subject.gpu_uuid == UUID
    assert signals(AerReading(links=()), None, known()) == ()


def test_counts_that_have_gone_away_at_both_readings_are_not_taken_for_quiet():
    gone = reading(AerCounts())
    assert between(gone, reading(AerCounts(), after=30)).fields["new_fatal"] is None
