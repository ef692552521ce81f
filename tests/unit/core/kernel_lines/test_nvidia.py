"""NVIDIA's driver on its own trouble, told without an Xid."""

import pytest

from sickbay.core.kernel_lines.nvidia import parse


@pytest.mark.parametrize(
    ("text", "what", "pci"),
    [
        ("NVRM: GPU 0000:18:00.0: RmInitAdapter failed! (0x62:0x65:2028)", "init_failed", "0000:18:00"),
        ("NVRM: RmInitAdapter failed! (0x26:0xffff:1239)", "init_failed", ""),
        ("nvidia: probe of 0000:18:00.0 failed with error -1", "probe_failed", "0000:18:00"),
        (
            "nvidia 0000:18:00.0: probe with driver nvidia failed with error -1",
            "probe_failed",
            "0000:18:00",
        ),
        (
            (
                "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:\n"
                "NVRM: BAR1 is 0M @ 0x0 (PCI:0000:18:00.0)"
            ),
            "bar_invalid",
            "0000:18:00",
        ),
        (
            "NVRM: krcWatchdog_IMPL: RC watchdog: GPU is probably locked!  Notify Timeout Seconds: 7",
            "locked",
            "",
        ),
        ("NVRM: Going over RM unhandled interrupt threshold for irq 153", "unhandled_interrupts", ""),
        ("NVRM: The NVIDIA probe routine failed for 1 device(s).", "probe_failed", ""),
        ("NVRM: None of the NVIDIA devices were initialized.", "none_initialised", ""),
        ("NVRM: None of the NVIDIA graphics adapters were initialized!", "none_initialised", ""),
        ("NVRM: No NVIDIA GPU found.", "none_found", ""),
    ],
)
def test_trouble_names_the_gpu_where_the_driver_does(text: str, what: str, pci: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["what"], line.pci, line.is_gpu) == ("driver_trouble", what, pci, bool(pci))


@pytest.mark.parametrize(
    ("text", "library", "module", "process"),
    [
        (
            (
                "NVRM: API mismatch: the client has the version 535.247.01, but\n"
                "NVRM: this kernel module has the version 535.230.02.  Please\n"
                "NVRM: make sure that this kernel module and all NVIDIA driver\n"
                "NVRM: components have the same version."
            ),
            "535.247.01",
            "535.230.02",
            None,
        ),
        (
            (
                "NVRM: API mismatch: the client 'nvidia-smi' (pid 4021)\n"
                "NVRM: has the version 595.84, but this kernel module has the version 595.71.05.  Please"
            ),
            "595.84",
            "595.71.05",
            "nvidia-smi",
        ),
        ("NVRM: API mismatch: the client has the version 535.247.01, but", "535.247.01", None, None),
    ],
)
def test_libraries_of_another_version_are_told_with_both(
    text: str, library: str, module: str | None, process: str | None
):
    line = parse(text)
    assert line is not None
    assert line.fields["what"] == "api_mismatch"
    assert (line.fields["library"], line.fields["module"], line.fields["process"]) == (
        library,
        module,
        process,
    )


@pytest.mark.parametrize(
    "text",
    [
        "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build",
        "NVRM: GPU at PCI:0000:18:00: GPU-8c5f2f1e",
        "NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.",
        "NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.",
        "NVRM: GPU 0000:18:00.0: rm_init_adapter failed, device minor number 0",
        "nvidia-nvlink: Nvlink Core is being initialized, major device number 234",
        "nvidia 0000:18:00.0: vgaarb: VGA decodes changed: olddecodes=none,decodes=none",
        "nvidia 0000:18:00.0: enabling device (0000 -> 0002)",
        "oh NVRM: RmInitAdapter failed! (0x26:0xffff:1239)",
    ],
)
def test_loading_xids_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
