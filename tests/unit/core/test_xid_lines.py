"""Every form in which the driver prints an Xid, and the near misses that are none."""

import pytest

from sickbay.core.gpu_lost_lines import GpuLostLine
from sickbay.core.recovery_actions import RecoveryAction
from sickbay.core.xid_lines import NvLink5, RecoveryChange, XidLine, decode_text, parse_xid

LOST = XidLine(pci="0000:b3:00", code=79, message="GPU has fallen off the bus.")
FORMS = {
    "NVRM: Xid (PCI:0000:b3:00): 79, GPU has fallen off the bus.": LOST,
    "NVRM: Xid (PCI:0000:b3:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.": LOST,
    "NVRM: Xid (PCI:0000:b3:00): 79, pid=<unknown>, name=<unknown>, GPU has fallen off the bus.": LOST,
    "NVRM: Xid (PCI:0000:B3:00.0): 79, GPU has fallen off the bus.": LOST,
    "NVRM: Xid (PCI:00000000:b3:00): 79, GPU has fallen off the bus.": LOST,
    "NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.": XidLine(
        pci="0000:01:00",
        code=79,
        pid=1122,
        message="GPU has fallen off the bus.",
    ),
    "NVRM: Xid (PCI:0002:00:00): 79, pid=1582259, name=nvc:[driver], GPU has fallen off the bus.": XidLine(
        pci="0002:00:00",
        code=79,
        pid=1582259,
        process="nvc:[driver]",
        message="GPU has fallen off the bus.",
    ),
    "NVRM: Xid (0000:03:00): 14, Channel 00000001": XidLine(
        pci="0000:03:00",
        code=14,
        message="Channel 00000001",
    ),
    "NVRM: Xid (PCI:0000:00:1e): 31": XidLine(pci="0000:00:1e", code=31),
    "NVRM: Xid (PCI:0000:b3:00): 45, pid=7194, name=python, Ch 0000000a caused by previous Xid 94": XidLine(
        pci="0000:b3:00",
        code=45,
        pid=7194,
        process="python",
        caused_by=94,
        message="Ch 0000000a caused by previous Xid 94",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 45, pid=7194, name=python,  caused by previous Xid 149": XidLine(
        pci="0000:b3:00",
        code=45,
        pid=7194,
        process="python",
        caused_by=149,
        message=" caused by previous Xid 149",
    ),
    "NVRM: Xid (PCI:0000:b3:00 GPU-I:01): 13, pid=4021, name=python, Graphics Exception": XidLine(
        pci="0000:b3:00",
        code=13,
        gpu_instance=1,
        pid=4021,
        process="python",
        message="Graphics Exception",
    ),
    "NVRM: Xid (PCI:0000:b3:00 GPU-I:01 GPU-CI:00): 43, pid=4021, name=a b, Ch 00000008": XidLine(
        pci="0000:b3:00",
        code=43,
        gpu_instance=1,
        compute_instance=0,
        pid=4021,
        process="a b",
        message="Ch 00000008",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 13, [pid=4021, name=python] Graphics Exception": XidLine(
        pci="0000:b3:00",
        code=13,
        pid=4021,
        process="python",
        message="Graphics Exception",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 13, [pid=4021,name=nvc:[driver],] Graphics Exception": XidLine(
        pci="0000:b3:00",
        code=13,
        pid=4021,
        process="nvc:[driver]",
        message="Graphics Exception",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 63, Row Remapper: New row marked for remapping, reset gpu to activate.": (
        XidLine(
            pci="0000:b3:00",
            code=63,
            message="Row Remapper: New row marked for remapping, reset gpu to activate.",
        )
    ),
    "NVRM: Xid (PCI:0000:b3:00): 94, Contained: CE User Channel (0x9). physAddr: 0x1a RST: No, D-RST: No": (
        XidLine(
            pci="0000:b3:00",
            code=94,
            message="Contained: CE User Channel (0x9). physAddr: 0x1a RST: No, D-RST: No",
        )
    ),
    "NVRM: Xid (PCI:0000:b3:00): 43, pid=python3, channel 0x00000002": XidLine(
        pci="0000:b3:00",
        code=43,
        message="channel 0x00000002",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 13, pid=99999999999999999999, name=x, y": XidLine(
        pci="0000:b3:00",
        code=13,
        process="x",
        message="y",
    ),
    "NVRM: Xid (PCI:0000:b3:00): 999, something new": XidLine(
        pci="0000:b3:00",
        code=999,
        message="something new",
    ),
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_driver_is_read(text: str):
    assert parse_xid(text) == FORMS[text]


def test_an_rpc_time_out_keeps_its_commas_and_brackets():
    message = (
        "Timeout after 6s of waiting for RPC response from GPU4 GSP! "
        "Expected function 76 (GSP_RM_CONTROL) [sequence 12] (0x20801702 0x4)."
    )
    line = parse_xid(f"NVRM: Xid (PCI:0000:b3:00): 119, pid=12, name=nvidia-smi, {message}")
    assert line is not None
    assert (line.code, line.process, line.message) == (119, "nvidia-smi", message)


RECOVERIES = {
    "from 0x0 (None) to 0x1 (GPU Reset Required)": (RecoveryAction.NONE, RecoveryAction.GPU_RESET),
    "from 0x1 (GPU Reset Required) to 0x2 (Node Reboot Required)": (
        RecoveryAction.GPU_RESET,
        RecoveryAction.NODE_REBOOT,
    ),
    "from 0x0 (None) to 0x3 (Drain P2P)": (RecoveryAction.NONE, RecoveryAction.DRAIN_P2P),
    "from 0x0 (None) to 0x4 (Drain and Reset)": (RecoveryAction.NONE, RecoveryAction.DRAIN_AND_RESET),
    "from 0x0 (None) to 0x5 (Recover IMEX Domain)": (
        RecoveryAction.NONE,
        RecoveryAction.RECOVER_IMEX_DOMAIN,
    ),
    "from 0x0 (None) to 0x2 (OS Reboot)": (RecoveryAction.NONE, RecoveryAction.NODE_REBOOT),
    "from 0x0 (None) to 0x1 (PF FLR)": (RecoveryAction.NONE, RecoveryAction.GPU_RESET),
    "from 0x0 (None) to 0x6 (Something New)": (RecoveryAction.NONE, RecoveryAction.BUS_RESET),
    "from 0x0 (None) to 0x2a (Drain and Reset)": (RecoveryAction.NONE, RecoveryAction.DRAIN_AND_RESET),
    "from 0x0 (None) to 0x2a (Unknown)": (RecoveryAction.NONE, RecoveryAction.UNKNOWN),
    "from 0x0 (None) to 0x1 (Node Reboot Required)": (RecoveryAction.NONE, RecoveryAction.NODE_REBOOT),
}


@pytest.mark.parametrize("change", RECOVERIES)
def test_xid_154_names_what_the_driver_asked_for_and_asks_for(change: str):
    before, now = RECOVERIES[change]
    line = parse_xid(f"NVRM: Xid (PCI:0000:b3:00): 154, GPU recovery action changed {change}")
    assert line is not None
    assert line.recovery == RecoveryChange(before=before, now=now)


def test_xid_154_in_words_that_nobody_knows_is_still_xid_154():
    line = parse_xid("NVRM: Xid (PCI:0000:b3:00): 154, GPU recovery action is now something else")
    assert line is not None
    assert (line.code, line.recovery) == (154, None)


WORDS = " ".join(f"0x{number:08x}" for number in (0x025001C6, 2, 3, 4, 5, 6, 7))
LINKS = {
    f"149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 ({WORDS})": NvLink5(
        unit="NETIR_LINK_EVT",
        severity="Fatal",
        cross_contained=False,
        injected=False,
        link=1,
        registers=(0x025001C6, 2, 3, 4, 5, 6, 7),
    ),
    "149, NETIR Fatal XC0 i0 Link -1 (0x000fe406 0x00000000)": NvLink5(
        unit="NETIR",
        severity="Fatal",
        cross_contained=False,
        injected=False,
        link=-1,
        registers=(0x000FE406, 0),
    ),
    "145, pid=876767, name=ray::WorkerDict, RLW_RXPIPE Nonfatal XC1 i2 Link 13 (0x0409a0c2 0x8 0x1 0x0)": (
        NvLink5(
            unit="RLW_RXPIPE",
            severity="Nonfatal",
            cross_contained=True,
            injected=True,
            link=13,
            registers=(0x0409A0C2, 8, 1, 0),
        )
    ),
    "146, TLW_RX/TLW_RX_PIPE0 Non-fatal XC0 i0 Link 3 (0x00000150 0x00000002)": NvLink5(
        unit="TLW_RX/TLW_RX_PIPE0",
        severity="Nonfatal",
        cross_contained=False,
        injected=False,
        link=3,
        registers=(0x150, 2),
    ),
    "149, NETIR Link Fatal XC0 i0 Link 17 (0x00000006 0x00000000)": NvLink5(
        unit="NETIR",
        severity="Link Fatal",
        cross_contained=False,
        injected=False,
        link=17,
        registers=(6, 0),
    ),
    "150, MSE Degraded Fatal XC0 i0 Link -1 (0x00000000 0x00000000)": NvLink5(
        unit="MSE Degraded",
        severity="Fatal",
        cross_contained=False,
        injected=False,
        link=-1,
        registers=(0, 0),
    ),
    "149, NETIR_LINK_EVT Fatal XC 1 i 2 Link 01 [0x0000000a]": NvLink5(
        unit="NETIR_LINK_EVT",
        severity="Fatal",
        cross_contained=True,
        injected=True,
        link=1,
        registers=(0xA,),
    ),
    "149, NETIR_INT  Fatal   XC0 i0 Link -1": NvLink5(
        unit="NETIR_INT",
        severity="Fatal",
        cross_contained=False,
        injected=False,
        link=-1,
    ),
}


@pytest.mark.parametrize("tail", LINKS)
def test_an_nvlink_5_line_gives_unit_severity_link_and_registers(tail: str):
    line = parse_xid(f"NVRM: Xid (PCI:0009:01:00): {tail}")
    assert line is not None
    assert line.nvlink == LINKS[tail]


def test_the_first_two_registers_have_names():
    line = parse_xid("NVRM: Xid (PCI:0009:01:00): 149, NETIR Fatal XC0 i0 Link 1 (0x000fe406 0x00000002)")
    assert line is not None
    assert line.nvlink is not None
    assert (line.nvlink.intr_info, line.nvlink.error_status) == (0x000FE406, 2)


@pytest.mark.parametrize(
    "message",
    [
        "NETIR Fatal XC0 i0 Link -1 (0x000fe406",
        "NETIR Fatal XC0 i0 Link -1 (0x000fe406 0x0000zz00)",
        "NETIR Awful XC0 i0 Link -1 (0x000fe406 0x00000000)",
        "driver-specific detail",
    ],
)
def test_a_cut_or_new_nvlink_line_keeps_its_code_and_its_words(message: str):
    line = parse_xid(f"NVRM: Xid (PCI:0009:01:00): 149, {message}")
    assert line is not None
    assert (line.code, line.message, line.nvlink) == (149, message, None)


NEAR_MISSES = [
    "",
    "NVRM: Xid : 32, pid=2280636",
    "NVRM: Xid: 31",
    "NVRM: Xid (PCI:0000:66:00): abc, pid=2280636",
    "NVRM: Xid (PCI:0000:66:00)",
    "NVRM: Xid (PCI:0000:66:00): 79,GPU has fallen off the bus.",
    "NVRM: Xid (PCI:0000:66:00): 149 NETIR_LINK_EVT",
    "NVRM: Xid (PCI:0000:66): 79, GPU has fallen off the bus.",
    "NVRM: Xid (PCI:gggg:66:00): 79, GPU has fallen off the bus.",
    "NVRM: Xid (PCI:0000:66:00): 790000, GPU has fallen off the bus.",
    "NVRM: Xid (PCI:0000:66:00): -79, GPU has fallen off the bus.",
    "NVRM: Xid (PCI:0000:66:00): ٧٩, GPU has fallen off the bus.",
    "NVRM: SXid (PCI:0000:66:00.0): 12028, Non-fatal, Link 32",
    "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress (First)",
    " NVRM: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
    "nvrm: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
    "audit: NVRM: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
    "python: NVRM: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
    "x\nNVRM: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
    # A task may be called anything of 15 characters, and the kernel prints its name first.
    "NVRM: Xid (PCI:[4021]: segfault at 0 ip 0 sp 0 error 4 in python3[400000+1000]",
]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_and_other_programs_are_none(text: str):
    assert parse_xid(text) is None


HEAD = "NVRM: Xid (PCI:0000:b3:00): 79, GPU has fallen off the bus."


@pytest.mark.parametrize(
    "line",
    [
        HEAD,
        f"3,1234,5678,-;{HEAD}\n",
        f"3,1234,5678,-,caller=T12;{HEAD}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:b3:00.0\n",
        f"[12345.678901] {HEAD}",
        f"[   12.000001] {HEAD}\n",
        f"<3>[12345.678901] {HEAD}",
        f"<3>{HEAD}",
        f"[Thu Sep 19 02:29:46 2024] {HEAD}",
        f"kern  :err   : [12345.678901] {HEAD}",
        f"2026-06-19T14:32:07,000000+00:00 {HEAD}",
        f"Oct 06 17:59:27 balrog kernel: {HEAD}",
        f"Oct  6 17:59:27 balrog kernel: {HEAD}",
        f"Oct 06 17:59:27 balrog kernel: [12345.678901] {HEAD}",
        f"Sep 12 14:25:44.984246 host-1.example.org kernel: {HEAD}",
        f"2026-06-19T14:32:07,000000+00:00 host kernel: {HEAD}",
        f"2026-06-19T14:32:07+0000 host kernel: {HEAD}",
        f"2026-06-19T14:32:07.123456+00:00 host kernel: {HEAD}",
        f"1790428806.570394 ws kernel: {HEAD}",
    ],
)
def test_people_have_the_same_line_in_many_forms(line: str):
    assert decode_text(line) == LOST


@pytest.mark.parametrize(
    "line",
    [
        f"11,1234,5678,-;{HEAD}\n",
        f"30,1234,5678,-;{HEAD}\n",
        f"Oct 06 17:59:27 balrog python[812]: {HEAD}",
        f"Oct 06 17:59:27 balrog root: kernel: {HEAD}",
        f"Oct 06 17:59:27 balrog root: {HEAD}",
        f"user  :err   : [12345.678901] {HEAD}",
        f"[12345.678901] python: {HEAD}",
        "",
        "garbage",
    ],
)
def test_what_another_program_wrote_decodes_to_none(line: str):
    assert decode_text(line) is None


def test_a_lost_gpu_without_an_xid_decodes_too():
    line = "[ 228.414765] NVRM: GPU 0000:09:00.0: GPU has fallen off the bus."
    assert decode_text(line) == GpuLostLine(pci="0000:09:00")
