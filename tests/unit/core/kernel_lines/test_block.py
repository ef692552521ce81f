"""Requests to block devices that failed."""

import pytest

from sickbay.core.kernel_lines.block import parse


@pytest.mark.parametrize(
    ("text", "device", "error", "operation"),
    [
        (
            (
                "blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) "
                "flags 0x0 phys_seg 1 prio class 0"
            ),
            "sda",
            "I/O",
            "read",
        ),
        (
            (
                "critical medium error, dev nvme0n1, sector 2048 op 0x1:(WRITE) flags "
                "0x80700 phys_seg 4 prio class 2"
            ),
            "nvme0n1",
            "critical medium",
            "write",
        ),
        (
            "blk_update_request: critical target error, dev nvme1n1, sector 8",
            "nvme1n1",
            "critical target",
            None,
        ),
        ("print_req_error: I/O error, dev sdb, sector 0", "sdb", "I/O", None),
        (
            "I/O error, dev dm-0, sector 7 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
            "dm-0",
            "I/O",
            "read",
        ),
        ("timeout error, dev sdc, sector 7", "sdc", "timeout", None),
        (
            "Buffer I/O error on dev sda1, logical block 0, async page read",
            "sda1",
            "buffer",
            "async page read",
        ),
        ("Buffer I/O error on device sda1, logical block 0", "sda1", "buffer", None),
    ],
)
def test_a_failed_request_names_its_device(text: str, device: str, error: str, operation: str | None):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.part) == ("block_error", device)
    assert line.fields == {"device": device, "error": error, "operation": operation}


@pytest.mark.parametrize(
    "text",
    [
        "blk_update_request: operation not supported error, dev nvme0n1, sector 0 op 0x9:(WRITE_ZEROES)",
        "sd 0:0:0:0: [sda] Attached SCSI disk",
        "critical error",
        "Buffer I/O error",
        "program: I/O error, dev sda, sector 2048",
        "I/O error, dev sda",
    ],
)
def test_what_a_device_does_not_support_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
