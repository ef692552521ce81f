"""PCI Express errors: reports over several lines, containment, recovery, and what only looks like one."""

import pytest

from sickbay.core.kernel_lines.aer import name_bits, parse


@pytest.mark.parametrize(
    ("text", "severity", "layer", "driver"),
    [
        (
            "nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
            "corrected",
            "Physical Layer",
            "nvidia",
        ),
        (
            (
                "pcieport 0000:00:1c.5: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), "
                "type=Transaction Layer, (Requester ID)"
            ),
            "nonfatal",
            "Transaction Layer",
            "pcieport",
        ),
        (
            (
                "mlx5_core 0000:1a:00.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Inaccessible, "
                "(Unregistered Agent ID)"
            ),
            "fatal",
            "Inaccessible",
            "mlx5_core",
        ),
        (
            "nvme 0000:05:00.0: PCIe Bus Error: severity=Correctable, type=Data Link Layer, (Transmitter ID)",
            "corrected",
            "Data Link Layer",
            "nvme",
        ),
        (
            (
                "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, "
                "type=Physical Layer, id=00e0(Receiver ID)"
            ),
            "corrected",
            "Physical Layer",
            "pcieport",
        ),
    ],
)
def test_an_error_names_the_device_and_how_grave_it_is(text: str, severity: str, layer: str, driver: str):
    line = parse(text)
    assert line is not None
    assert line.kind == "pcie_error"
    assert (line.fields["severity"], line.fields["layer"], line.fields["driver"]) == (severity, layer, driver)
    assert line.part == line.fields["device"]
    assert line.is_gpu == (driver == "nvidia")


def test_the_slot_is_the_address_without_its_function():
    line = parse(
        "nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)"
    )
    assert line is not None
    assert (line.part, line.pci) == ("0000:18:00.0", "0000:18:00")


@pytest.mark.parametrize(
    "text",
    [
        "nvidia 0000:18:00.0:   device [10de:2330] error status/mask=00000041/0000a000",
        "nvidia 0000:18:00.0: AER:   device [10de:2330] error status/mask=00000041/0000a000",
    ],
)
def test_the_registers_continue_the_report_of_their_device(text: str):
    line = parse(text)
    assert line is not None
    assert line.continues
    assert line.fields == {"id": "10de:2330", "status": "00000041", "mask": "0000a000"}


@pytest.mark.parametrize(
    ("severity", "status", "mask", "errors"),
    [
        ("corrected", "00000041", "0000a000", "RxErr BadTLP"),
        ("corrected", "00002001", "00002000", "RxErr"),
        ("nonfatal", "00004000", "00100020", "CmpltTO"),
        ("fatal", "00040020", "00000000", "SDES MalfTLP"),
        ("corrected", "00000002", "00000000", "bit1"),
    ],
)
def test_bits_are_named_by_the_register_that_the_severity_means(
    severity: str, status: str, mask: str, errors: str
):
    assert name_bits({"severity": severity, "status": status, "mask": mask})["errors"] == errors


def test_bits_are_not_named_while_the_severity_is_unknown():
    assert "errors" not in name_bits({"severity": None, "status": "00000041", "mask": "00000000"})


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("pcieport 0000:a9:10.0: DPC: containment event, status:0x2009 source:0x0000", "uncorrectable"),
        ("pcieport 0000:30:03.0: DPC: containment event, status:0x0005 source:0x3400", "fatal"),
        (
            (
                "pcieport 0015:00:00.0: DPC: containment event, status:0x200d, "
                "ERR_FATAL received from 0015:01:00.0"
            ),
            "fatal",
        ),
        ("pcieport 0000:30:03.0: DPC: containment event, status:0x0003 source:0x3400", "nonfatal"),
    ],
)
def test_a_port_that_cuts_its_link_says_why(text: str, cause: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["cause"]) == ("pcie_containment", cause)


@pytest.mark.parametrize(
    ("text", "recovered"),
    [
        ("pcieport 0000:30:03.0: AER: device recovery successful", True),
        ("pcieport 0000:30:03.0: AER: device recovery failed", False),
        ("pcieport 0000:30:03.0: AER: Device recovery failed", False),
    ],
)
def test_what_came_of_a_recovery_is_told(text: str, recovered: bool):  # noqa: FBT001 - a table's column
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["recovered"]) == ("pcie_recovery", recovered)


def test_an_error_of_a_device_that_cannot_be_found_is_of_unknown_gravity():
    line = parse("pcieport 0000:00:01.0: AER: can't find device of ID0018")
    assert line is not None
    assert (line.kind, line.fields["severity"]) == ("pcie_error", None)


@pytest.mark.parametrize(
    "text",
    [
        "pcieport 0000:00:01.0: AER: enabled with IRQ 122",
        "pcieport 0000:00:01.0: AER: Corrected error received: 0000:00:01.0",
        "pcieport 0000:00:01.0: AER: Multiple Uncorrected (Fatal) error received: 0000:18:00.0",
        "pcieport 0000:00:01.0: AER: broadcast error_detected message",
        "pcieport 0000:00:01.0: DPC: enabled with IRQ 122",
        "pcieport 0000:00:01.0: PME: Signaling with IRQ 122",
        "nvidia 0000:18:00.0: enabling device (0000 -> 0002)",
        "nvidia 0000:18:00.0:    [ 0] RxErr                  (First)",
        "note: nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
        "nvidia 0000:18:00.0: PCIe Bus Error: severity=Odd, type=Physical Layer, (Receiver ID)",
        "nvidia 18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
        "nvidia 0000:18:00.0: device [10de:2330] error status/mask=1/2",
    ],
)
def test_announcements_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
