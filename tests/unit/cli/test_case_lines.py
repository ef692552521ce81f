"""Lines of a case through the agent's monitor: storms are counted and told as the agent tells them."""

from tests.support.rules import BOOT, START

from sickbay.cli.case_lines import read_lines
from sickbay.core.rule_cases import Printed

FAULT = "NVRM: Xid (PCI:0000:1b:00): 31, pid=7, name=a, MMU Fault"


def printed(at: float, text: str = FAULT) -> Printed:
    return Printed(text=text, at=START.later(at), read=START.later(at))


def test_a_storm_is_one_event_with_a_count_that_is_told_again_second_by_second() -> None:
    heard = list(read_lines([printed(0.01 * number) for number in range(100)], BOOT, ""))
    signals = [signal for _, told in heard for signal in told]
    assert len({signal.identity for signal in signals}) == 1
    assert max(signal.count for signal in signals) == 100
    assert len(signals) < 20
    assert [now.mono for now, _ in heard] == sorted(now.mono for now, _ in heard)


def test_a_line_that_says_nothing_is_heard_by_nobody() -> None:
    assert list(read_lines([printed(0.0, "usb 1-1: new high-speed USB device")], BOOT, "")) == []


def test_the_driver_decides_how_registers_are_read() -> None:
    line = "NVRM: Xid (PCI:0000:1b:00): 145, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x00000486 0x00000001)"
    found = {
        driver: next(iter(read_lines([printed(0.0, line)], BOOT, driver)))[1][0].fields["findings"]
        for driver in ("570.124.06", "575.57.08")
    }
    assert found["570.124.06"] != found["575.57.08"]
