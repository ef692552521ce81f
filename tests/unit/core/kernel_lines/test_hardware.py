"""Errors of processors and memory, by whoever reports them."""

import pytest

from sickbay.core.kernel_lines.hardware import parse


@pytest.mark.parametrize(
    ("text", "source", "severity"),
    [
        ("mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: 8c00004000010090", "mce", "corrected"),
        ("mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: bc00000000800400", "mce", "uncorrected"),
        (
            "mce: [Hardware Error]: CPU 14: Machine Check Exception: 5 Bank 7: be2000000003110a",
            "mce",
            "fatal",
        ),
        ("mce: [Hardware Error]: Machine check events logged", "mce", "logged"),
        ("mce: [Hardware Error]: Machine check: Processor context corrupt", "mce", "fatal"),
        ("mce: Uncorrected hardware memory error in user-access at 2f7ac400", "mce", "uncorrected"),
        ("Memory failure: 0x12345: recovery action for dirty LRU page: Recovered", "mce", "uncorrected"),
        (
            (
                "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 "
                "(channel:1 slot:0 page:0x1a3)"
            ),
            "edac",
            "corrected",
        ),
        (
            "EDAC MC1: 1 UE Cannot decode on mc#1csrow#0channel#2 (csrow:0 channel:2 page:0x0 offset:0x0)",
            "edac",
            "uncorrected",
        ),
        ("[Hardware Error]: Corrected error, no action required.", "amd", "corrected"),
        ("[Hardware Error]: Deferred error, no action required.", "amd", "deferred"),
        ("[Hardware Error]: Uncorrected, software restartable error.", "amd", "uncorrected"),
        ("[Hardware Error]: System Fatal error.", "amd", "fatal"),
        ("{1}[Hardware Error]: event severity: corrected", "firmware", "corrected"),
        ("{22}[Hardware Error]: event severity: recoverable", "firmware", "uncorrected"),
        ("{1}[Hardware Error]: event severity: fatal", "firmware", "fatal"),
    ],
)
def test_an_error_says_who_reports_it_and_how_grave_it_is(text: str, source: str, severity: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["source"], line.fields["severity"]) == ("hardware_error", source, severity)


def test_a_memory_controllers_line_counts_as_many_errors_as_it_says_and_names_the_module():
    line = parse("EDAC MC0: 17 CE memory read error on CPU_SrcID#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x1)")
    assert line is not None
    assert (line.times, line.part) == (17, "MC0 CPU_SrcID#0_Chan#1_DIMM#0")


def test_a_bank_is_told_with_its_processor():
    line = parse("mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: 8c00004000010090")
    assert line is not None
    assert (line.fields["cpu"], line.fields["bank"]) == (2, 5)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            (
                "[Hardware Error]: CPU:2 (17:31:0) "
                "MC15_STATUS[Over|CE|MiscV|-|-|-|SyndV|CECC]: 0xdc2040000000011b"
            ),
            {"cpu": 2, "bank": 15, "status": "dc2040000000011b"},
        ),
        ("{1}[Hardware Error]:   section_type: memory error", {"label": "memory error"}),
    ],
)
def test_what_a_further_line_says_continues_the_report(text: str, fields: dict[str, object]):
    line = parse(text)
    assert line is not None
    assert line.continues
    assert line.fields == fields


@pytest.mark.parametrize(
    "text",
    [
        "mce: CPU0: Thermal monitoring enabled (TM1)",
        "mce: CPU3: Core temperature above threshold, cpu clock throttled (total events = 12)",
        "mce: CPU3: Core temperature/speed normal",
        "mce: Using 20 MCE banks",
        "mce: [Hardware Error]: TSC 7b1a2c ADDR 1a3f00 MISC 90868a28",
        "mce: [Hardware Error]: PROCESSOR 0:50657 TIME 1700000000 SOCKET 0 APIC 0 microcode 5003303",
        "EDAC MC: Ver: 3.0.0",
        "EDAC MC0: Giving out device to module i10nm_edac controller Intel_10nm Socket#0 IMC#0",
        "EDAC i10nm: v0.0.6",
        "{1}[Hardware Error]: event severity: info",
        "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 0",
        "{1}[Hardware Error]: It has been corrected by h/w and requires no further action",
        "GHES: HEST is not enabled!",
        "Memory failure: 0x12345: Sending SIGBUS to python:4021 due to hardware memory corruption",
        "say mce: [Hardware Error]: Machine check events logged",
    ],
)
def test_boot_chatter_heat_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
