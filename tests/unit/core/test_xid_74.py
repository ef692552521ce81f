"""The registers of Xid 74, bit by bit."""

import pytest

from sickbay.core.xid_74 import LinkError, parse_link_error
from sickbay.core.xid_words import LinkAdvice


def test_link_and_registers_are_read_from_the_line() -> None:
    said = "NVLink: fatal error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)"
    assert parse_link_error(said) == LinkError(link=6, registers=(0x10000, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    "message",
    ["", "NVLink: fatal error detected on link 6", "Ch 6(0x1)", "NVLink: link x(0x1)", "on link 6(0x10000)"],
)
def test_a_line_without_registers_says_nothing_of_bits(message: str) -> None:
    assert parse_link_error(message) is None


def error(**bits: int) -> LinkError:
    registers = [0] * 7
    for name, value in bits.items():
        registers[int(name.removeprefix("r")) - 1] = value
    return LinkError(link=0, registers=tuple(registers))


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        (error(r1=1 << 0 | 1 << 23 | 1 << 30), LinkAdvice.NONE),
        (error(r1=1 << 20), LinkAdvice.FOLLOW_OTHER_END),
        (error(r1=1 << 4), LinkAdvice.REPORT_IF_REPEATED),
        (error(r1=1 << 16), LinkAdvice.RESEAT_AND_DIAGNOSE),
        (error(r1=1 << 21), LinkAdvice.RUN_FIELDDIAG),
        (error(r1=1 << 27), LinkAdvice.REPORT_IF_REPEATED),
        (error(r3=1 << 6), LinkAdvice.REPORT_IF_REPEATED),
        (error(r3=1 << 13), LinkAdvice.CONTACT_SUPPORT),
        (error(r3=1 << 19), LinkAdvice.FIELDDIAG_IF_REPEATED),
        (error(r4=1 << 16), LinkAdvice.FOLLOW_OTHER_END),
        (error(r4=1 << 18), LinkAdvice.RESET_FABRIC),
        (error(r5=1 << 20), LinkAdvice.NONE),
        (error(r5=1 << 18), LinkAdvice.REPORT_IF_REPEATED),
        (error(r1=1 << 20 | 1 << 16), LinkAdvice.RESEAT_AND_DIAGNOSE),
        (error(r2=1), LinkAdvice.UNKNOWN),
        (error(), LinkAdvice.UNKNOWN),
    ],
)
def test_the_advice_is_that_of_the_bit_that_takes_most(found: LinkError, advice: LinkAdvice) -> None:
    assert found.advice is advice


def test_each_bit_is_named_and_one_that_nobody_explains_is_shown() -> None:
    assert error(r1=1 << 4, r7=1 << 0).findings == ("register 1 bit 4: hardware ECC", "register 7 bit 0: ?")
