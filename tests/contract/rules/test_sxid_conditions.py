"""NVSwitch errors: what each line makes of a host, and how it is over, through the monitor and the rules."""

import pytest
from tests.support.rules import BOOT, START, Host

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Inventory
from sickbay.core.kernel_records import KernelRecord
from sickbay.host.rule_files import load_rules
from sickbay.monitors.kernel_log import KernelLogState, observe, sight_signal
from sickbay.monitors.xid import Seen

RULES = load_rules().rules
HEAD = "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): "


@pytest.fixture
def host() -> Host:
    return Host(rules=RULES)


def print_line(host: Host, at: float, *texts: str) -> None:
    """The driver prints lines; the monitor and the rules see them."""
    now = START.later(at)
    records = []
    for text in texts:
        host.next_sequence += 1
        records.append(
            KernelRecord(
                facility=0, level=3, sequence=host.next_sequence, usec=round(now.mono * 1e6), text=text
            )
        )
    seen = Seen(boot_id=BOOT, now=now, inventory=Inventory())
    host.see(*observe(KernelLogState(), records, seen).signals, at=at)


@pytest.mark.parametrize(
    ("line", "type_", "severity", "mode"),
    [
        ("12028, Non-fatal, Link 32 x", "NvswitchError", Severity.INFO, Mode.OBSERVE),
        ("20034, Non-fatal, Link 30 LTSSM Fault Up", "NvswitchError", Severity.INFO, Mode.OBSERVE),
        ("20034, Link 30 LTSSM Fault Up", "NvswitchError", Severity.INFO, Mode.OBSERVE),
        ("11012, Correctable, Link 3 x", "NvswitchError", Severity.INFO, Mode.OBSERVE),
        ("20034, Fatal, Link 30 LTSSM Fault Up", "NvswitchFatal", Severity.CRITICAL, Mode.PROPOSE),
        ("12020, Non-fatal, Link 30 x", "NvswitchFatal", Severity.CRITICAL, Mode.PROPOSE),
        ("99999, Non-fatal, Link 30 x", "NvswitchErrorUnlisted", Severity.WARNING, Mode.OBSERVE),
        ("99999, words", "NvswitchErrorUnlisted", Severity.WARNING, Mode.OBSERVE),
        ("99999, Fatal, Link 30 x", "NvswitchFatal", Severity.CRITICAL, Mode.PROPOSE),
    ],
)
def test_every_sxid_opens_the_one_condition_that_is_as_grave_as_it_is(
    host: Host, line: str, type_: str, severity: Severity, mode: Mode
) -> None:
    print_line(host, 0, HEAD + line)
    (condition,) = host.state.conditions
    assert (condition.type, condition.severity, condition.mode) == (type_, severity, mode)
    assert HEAD + line in condition.message


def test_the_lines_that_follow_change_neither_what_it_is_nor_how_often_it_came(host: Host) -> None:
    print_line(
        host,
        0,
        HEAD + "12028, Fatal, Link 32 x",
        HEAD + "12028, Severity 1 Engine instance 62 Sub-engine instance 00",
        HEAD + "12028, Data {0x00140004, 0x00100000}",
    )
    (condition,) = host.state.conditions
    assert (condition.type, condition.occurrences) == ("NvswitchFatal", 1)


def test_what_is_not_fatal_is_over_after_an_hour_of_quiet_and_comes_again(host: Host) -> None:
    for start in (0.0, 10_000.0):
        print_line(host, start, HEAD + "12028, Non-fatal, Link 32 x")
        assert host.types() == {"NvswitchError"}
        host.wait(start + 3000)
        assert host.types() == {"NvswitchError"}
        host.wait(start + 3700)
        assert not host.types()


def test_quiet_does_not_count_while_the_log_cannot_be_read(host: Host) -> None:
    print_line(host, 0, HEAD + "12028, Non-fatal, Link 32 x")
    host.see(sight_signal(START.later(10), trouble="permission denied"))
    host.wait(8000)
    assert "NvswitchError" in host.types()
    host.see(sight_signal(START.later(8000), trouble=""))
    host.wait(8000 + 3700)
    assert "NvswitchError" not in host.types()


def test_what_is_fatal_is_over_after_a_reboot_and_not_before(host: Host) -> None:
    print_line(host, 0, HEAD + "20034, Fatal, Link 30 LTSSM Fault Up")
    host.wait(100_000)
    assert host.types() == {"NvswitchFatal"}
    host.reboot("boot-2", at=100_010)
    assert not host.types()
