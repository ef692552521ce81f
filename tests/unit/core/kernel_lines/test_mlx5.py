"""mlx5 adapters: links, cables, firmware."""

import pytest

from sickbay.core.kernel_lines.mlx5 import parse


@pytest.mark.parametrize(
    ("text", "what", "part"),
    [
        ("mlx5_core 0000:1a:00.0 ens1f0np0: Link up", "link_up", "ens1f0np0"),
        ("mlx5_core 0000:1a:00.0 ens1f0np0: Link down", "link_down", "ens1f0np0"),
        ("mlx5_core 0000:0a:00.0 mlx5_0: Port: 1 Link DOWN", "link_down", "mlx5_0/1"),
        ("mlx5_core 0000:08:00.0 rdmap8s0f0: Port: 2 Link ACTIVE", "link_up", "rdmap8s0f0/2"),
        ("mlx5_0: Port: 1 Link DOWN", "link_down", "mlx5_0/1"),
        ("infiniband mlx5_3: Port: 1 Link ACTIVE", "link_up", "mlx5_3/1"),
        (
            "mlx5_core 0000:1a:00.0: Port module event: module 0, Cable unplugged",
            "cable_unplugged",
            "0000:1a:00.0",
        ),
        (
            "mlx5_core 0000:1a:00.0: Port module event: module 0, Cable plugged",
            "cable_plugged",
            "0000:1a:00.0",
        ),
        (
            "mlx5_core 0000:1a:00.0: Port module event[error]: module 1, Cable error, High Temperature",
            "cable_error",
            "0000:1a:00.0",
        ),
        (
            (
                "mlx5_core 0000:1a:00.0: poll_health:800:(pid 0): device's health "
                "compromised - reached miss count"
            ),
            "unresponsive",
            "0000:1a:00.0",
        ),
        (
            "mlx5_core 0000:1a:00.0: poll_health:739:(pid 0): Fatal error 1 detected",
            "fatal_error",
            "0000:1a:00.0",
        ),
        (
            (
                "mlx5_core 0000:1a:00.0: print_health_info:500:(pid 0): Health issue observed, "
                "firmware internal error, severity(3) ERROR:"
            ),
            "health_issue",
            "0000:1a:00.0",
        ),
        ("mlx5_core 0000:1a:00.0: PCI slot is unavailable", "unresponsive", "0000:1a:00.0"),
        (
            (
                "mlx5_core 0000:1a:00.0: mlx5_health_try_recover:340:(pid 7): health recovery flow aborted, "
                "PCI reads still not working"
            ),
            "recovery_failed",
            "0000:1a:00.0",
        ),
        (
            "mlx5_core 0000:1a:00.0: mlx5_health_try_recover:345:(pid 7): health recovery succeeded",
            "recovered",
            "0000:1a:00.0",
        ),
        (
            "mlx5_core 0000:1a:00.0: temp_warn:203:(pid 0): High temperature on sensors with bit set 0 1",
            "high_temperature",
            "0000:1a:00.0",
        ),
        (
            (
                "mlx5_core 0000:1a:00.0: wait_func:1137:(pid 4021): ENABLE_HCA(0x104) timeout. "
                "Will cause a leak of a command resource"
            ),
            "timeout",
            "0000:1a:00.0",
        ),
    ],
)
def test_an_event_names_the_adapter_or_its_port(text: str, what: str, part: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["what"], line.part) == ("adapter_event", what, part)


def test_a_cable_error_says_which_module_and_why():
    line = parse("mlx5_core 0000:1a:00.0: Port module event[error]: module 1, Cable error, High Temperature")
    assert line is not None
    assert (line.fields["port"], line.fields["message"]) == (1, "High Temperature")


@pytest.mark.parametrize(
    "text",
    [
        "mlx5_core 0000:1a:00.0: firmware version: 28.39.1002",
        "mlx5_core 0000:1a:00.0: 252.048 Gb/s available PCIe bandwidth (16.0 GT/s PCIe x16 link)",
        "mlx5_core 0000:1a:00.0: mlx5_pcie_event:301:(pid 9): PCIe slot advertised sufficient power (75W).",
        (
            "mlx5_core 0000:1a:00.0: mlx5_pcie_event:299:(pid 9): Detected "
            "insufficient power on the PCIe slot (25W)."
        ),
        "mlx5_core 0000:1a:00.0: E-Switch: Unload vfs: mode(LEGACY), nvfs(0), active vports(0)",
        "mlx5_core 0000:0a:00.0 mlx5_0: Port: 1 Link INIT",
        "mlx5_0:dump_cqe:272:(pid 4021): dump error cqe",
        "bnxt_en 0000:1a:00.0 eth0: NIC Link is Down",
        "x mlx5_core 0000:1a:00.0 ens1f0np0: Link down",
    ],
)
def test_start_up_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
