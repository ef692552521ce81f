"""NVMe: what a time-out leads to, controllers that are gone, media that cannot be read."""

import pytest

from sickbay.core.kernel_lines.nvme import parse


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("nvme nvme0: I/O 12 QID 3 timeout, aborting", "timeout"),
        ("nvme nvme0: I/O 12 (I/O Cmd) QID 3 timeout, aborting", "timeout"),
        (
            (
                "nvme nvme0: I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 3 timeout, "
                "aborting req_op:READ(0) size:4096"
            ),
            "timeout",
        ),
        ("nvme nvme0: I/O 12 QID 3 timeout, reset controller", "reset"),
        ("nvme nvme10: I/O tag 0 (1000) opcode 0x6 (Admin Cmd) QID 0 timeout, disable controller", "reset"),
        ("nvme nvme0: I/O 12 QID 3 timeout, completion polled", "lost_interrupt"),
        ("nvme nvme0: I/O tag 12 (100c) QID 3 timeout, completion polled", "lost_interrupt"),
        ("nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff", "down"),
        ("nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS read failed (134)", "down"),
        ("nvme nvme0: frozen state error detected, reset controller", "reset"),
        ("nvme nvme0: Removing after probe failure status: -19", "dead"),
        ("nvme nvme0: Disabling device after reset failure: -19", "dead"),
        ("nvme nvme0: Device not ready; aborting reset, CSTS=0x1", "dead"),
        ("nvme nvme0: Device not ready; aborting initialisation, CSTS=0x0", "dead"),
        (
            "nvme0n1: Read(0x2) @ LBA 1234, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR ",
            "medium",
        ),
        (
            "nvme0c0n1: Write(0x1) @ LBA 1234, 8 blocks, Namespace Not Ready (sct 0x0 / sc 0x82) ",
            "command",
        ),
    ],
)
def test_a_fault_names_its_controller(text: str, fault: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["fault"]) == ("nvme_error", fault)
    assert line.part in {"nvme0", "nvme10"}


def test_a_time_out_says_which_queue():
    line = parse("nvme nvme0: I/O 12 QID 3 timeout, aborting")
    assert line is not None
    assert line.fields["queue"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "nvme nvme0: pci function 0000:05:00.0",
        "nvme nvme0: 32/0/0 default/read/poll queues",
        "nvme nvme0: Shutdown timeout set to 8 seconds",
        "nvme nvme0: missing or invalid SUBNQN field.",
        "nvme nvme0: Does your device have a faulty power saving mode enabled?",
        "nvme nvme0: Abort status: 0x371",
        "nvme0n1: p1 p2 p3",
        "nvme 0000:05:00.0: platform quirk: setting simple suspend",
        "nvme0: Identify(0x6), Invalid Field in Command (sct 0x0 / sc 0x2) DNR ",
        "my nvme nvme0: I/O 12 QID 3 timeout, aborting",
    ],
)
def test_start_up_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
