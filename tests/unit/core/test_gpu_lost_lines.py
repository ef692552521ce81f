"""Lines that mean a lost GPU without any Xid, whole or over several records."""

import pytest

from sickbay.core.gpu_lost_lines import GpuLostLine, follow_probe, parse_gpu_lost

FOUND = GpuLostLine(pci="0000:18:00", at_probe=True, device="10de:2330")


@pytest.mark.parametrize(
    ("text", "pci"),
    [
        ("NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.", "0000:18:00"),
        ("NVRM: GPU 0001:C8:00.0: GPU has fallen off the bus", "0001:c8:00"),
        ("NVRM: GPU at 0000:18:00.0 has fallen off the bus.", "0000:18:00"),
        ("NVRM: GPU has fallen off the bus.", ""),
    ],
)
def test_the_driver_says_at_run_time_that_a_gpu_is_gone(text: str, pci: str):
    assert parse_gpu_lost(text) == GpuLostLine(pci=pci)


@pytest.mark.parametrize(
    "text",
    [
        (
            "NVRM: The NVIDIA GPU 0000:18:00.0\nNVRM: (PCI ID: 10de:2330) installed in this system has\n"
            "NVRM: fallen off the bus and is not responding to commands."
        ),
        (
            "NVRM: The NVIDIA GPU 0000:18:00.0 (PCI ID: 10DE:2330)\nNVRM: installed in this system has "
            "fallen off the bus and\nNVRM: is not responding to commands."
        ),
    ],
)
def test_the_probe_time_sentence_is_read_from_one_record(text: str):
    assert parse_gpu_lost(text) == FOUND


def followed(*texts: str) -> list[GpuLostLine]:
    """What comes out of these records, one after the other."""
    pending, found = None, []
    for text in texts:
        pending, lost = follow_probe(pending, text)
        if lost is not None:
            found.append(lost)
    return found


THREE = (
    "NVRM: The NVIDIA GPU 0000:18:00.0",
    "NVRM: (PCI ID: 10de:2330) installed in this system has",
    "NVRM: fallen off the bus and is not responding to commands.",
)


def test_the_probe_time_sentence_is_joined_over_three_records():
    assert followed(*THREE) == [FOUND]


def test_the_sentence_may_be_wrapped_anywhere():
    assert followed(
        "NVRM: The NVIDIA GPU 0000:18:00.0 (PCI ID: 10de:2330) installed in this",
        "NVRM: system has fallen off the bus and is not responding to commands.",
    ) == [FOUND]


def test_other_lines_may_fall_between():
    assert followed(THREE[0], "NVRM: loading", THREE[1], "pci 0000:18:00.0: x", THREE[2]) == [FOUND]


def test_a_sentence_that_is_never_finished_is_given_up():
    assert followed(THREE[0], *["NVRM: loading"] * 20, THREE[1], THREE[2]) == []


def test_the_end_without_the_beginning_is_nothing():
    assert followed(THREE[1], THREE[2]) == []


def test_each_gpu_has_its_own_sentence():
    second = "NVRM: The NVIDIA GPU 0000:2a:00.0"
    found = followed(*THREE, second, *THREE[1:])
    assert [lost.pci for lost in found] == ["0000:18:00", "0000:2a:00"]


@pytest.mark.parametrize(
    "text",
    [
        "NVRM: The NVIDIA GPU invalid-bdf.0\nNVRM: fallen off the bus and is not responding to commands.",
        "NVRM: GPU 0000:18:00.0: GPU serial number is 1234.",
        "NVRM: GPU 0000:18:00.0: GPU has fallen off the bus. Really.",
        "python: NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.",
        "nvidia 0000:18:00.0: GPU has fallen off the bus.",
        "NVRM: The NVIDIA GPU 0000:18:00.0 (PCI ID: 10de:2330) installed in this system is not supported",
    ],
)
def test_near_misses_are_none(text: str):
    assert parse_gpu_lost(text) is None
    assert followed(text, text) == []
