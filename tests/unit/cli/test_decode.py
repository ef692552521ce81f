"""`sickbay decode`: each line of each form, what it says, and what is no fact of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sickbay.cli.main import main
from sickbay.core.xids import XIDS

KEYS = [
    "line",
    "kind",
    "code",
    "pci",
    "gpu_instance",
    "compute_instance",
    "link",
    "name",
    "severity",
    "class",
    "action",
    "caused_by",
    "rules",
]
LOST = "NVRM: Xid (PCI:0000:1B:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."

CHANGED = "NVRM: Xid (PCI:0000:b3:00): 154, GPU recovery action changed from 0x1 (GPU Reset Required) "


def run(*words: str, lines: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["decode", *words], input=lines)


def decoded(*lines: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    result = run("-o", "json", *options, lines="".join(f"{line}\n" for line in lines))
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def one(line: str, *options: str) -> dict[str, Any]:
    (found,) = decoded(line, options=options)
    return found


def test_an_xid_has_every_key_and_the_catalogues_words() -> None:
    found = one(LOST)
    assert list(found) == KEYS
    assert found == {
        "line": 1,
        "kind": "xid",
        "code": 79,
        "pci": "0000:1b:00",
        "gpu_instance": None,
        "compute_instance": None,
        "link": None,
        "name": "ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS",
        "severity": "fatal",
        "class": "hardware",
        "action": "RESTART_BM",
        "caused_by": None,
        "rules": ["xid-79-gpu-off-the-bus"],
    }


@pytest.mark.parametrize(
    "line",
    [
        f"[12345.678901] {LOST}",
        f"<3>[12345.678901] {LOST}",
        f"<3>{LOST}",
        f"[Thu Sep 19 02:29:46 2024] {LOST}",
        f"[Sep19 02:29] {LOST}",
        f"[  +0.000012] {LOST}",
        f"[12345.678901][  T812] {LOST}",
        f"[12345.678901] [    T812] {LOST}",
        f"kern  :err   : [12345.678901] [      C3] {LOST}",
        f"kern  :err   : [12345.678901] {LOST}",
        f"Oct 06 17:59:27 balrog kernel: {LOST}",
        f"Oct  6 17:59:27 balrog kernel:[12345.678901] {LOST}",
        f"Oct  6 17:59:27 balrog kern.err kernel: [12345.678901] {LOST}",
        f"Fri 2026-06-19 14:32:07 UTC balrog kernel: {LOST}",
        f"[12345.678901] balrog kernel: {LOST}",
        f"2026-06-19T14:32:07.123456+00:00 balrog kernel: {LOST}",
        f"3,1234,5678,-;{LOST}",
        f"3,1234,5678,-,caller=T12;{LOST}",
        f"{LOST}\r",
    ],
)
def test_people_have_lines_in_many_forms(line: str) -> None:
    assert one(line) == one(LOST)


@pytest.mark.parametrize(
    "line",
    [
        f"11,1234,5678,-;{LOST}",
        f"30,1234,5678,-;{LOST}",
        f"<11>[12345.678901] {LOST}",
        f"user  :err   : [12345.678901] {LOST}",
        f"Oct 06 17:59:27 balrog python[812]: {LOST}",
        f"Oct  6 17:59:27 balrog user.err kernel: {LOST}",
        f"Oct  6 17:59:27 balrog kernel:{LOST}",
        f"python: {LOST}",
        "NVRM: Xid (PCI:0000:66:00): 79,GPU has fallen off the bus.",
        "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  595.45.04",
        "SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32",
        " SUBSYSTEM=pci",
        "",
        "\x00\x1b[31m",
    ],
)
def test_what_is_somebody_elses_or_a_near_miss_is_none_and_says_nothing(line: str) -> None:
    found = one(line)
    assert list(found) == KEYS
    assert (found.pop("line"), found.pop("kind"), found.pop("rules")) == (1, "none", [])
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "NVRM: Xid (PCI:0000:b3:00 GPU-I:01 GPU-CI:00): 13, pid=4021, name=python, Graphics Exception",
            {"gpu_instance": 1, "compute_instance": 0, "class": "application", "action": "RESTART_APP"},
        ),
        (
            "NVRM: Xid (PCI:0000:b3:00): 45, pid=7, name=a, Ch 0000000a caused by previous Xid 94",
            {"caused_by": 94, "class": "secondary", "rules": [], "severity": "info"},
        ),
        ("NVRM: Xid (0000:03:00): 14, Channel 00000001", {"class": "unused", "action": "NONE"}),
        (
            "NVRM: Xid (PCI:0000:b3:00): 998, something new",
            {"class": "unknown", "action": "UNKNOWN", "severity": "warning", "rules": ["xid-unlisted"]},
        ),
        (
            CHANGED + "to 0x2 (Node Reboot Required)",
            {"action": "RESTART_BM"},
        ),
        (
            CHANGED + "to 0x0 (None)",
            {"action": "NONE"},
        ),
        (
            "NVRM: Xid (PCI:0000:b3:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x025001c6 0x0)",
            {"link": 1, "severity": "Fatal", "class": "fabric", "action": "RESET_GPU"},
        ),
        (
            "NVRM: Xid (PCI:0000:b3:00): 149, NETIR Link Fatal XC0 i0 Link -1",
            {"link": -1, "severity": "Link Fatal", "action": "WORKFLOW_NVLINK5_ERR"},
        ),
        (
            "NVRM: Xid (PCI:0000:b3:00): 145, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x0409a0c2 0x8 0x1 0x0)",
            {"link": 13, "severity": "Nonfatal", "action": "NONE", "rules": ["xid-nvlink5"]},
        ),
        (
            "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted (First)",
            {"kind": "sxid", "code": 12028, "pci": "0000:05:00", "link": 32, "severity": "Non-fatal"},
        ),
        (
            "NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.",
            {
                "kind": "gpu_lost",
                "code": None,
                "pci": "0000:18:00",
                "action": "RESTART_BM",
                "severity": "fatal",
            },
        ),
        (
            "Out of memory: Killed process 4021 (python) total-vm:66371384kB, anon-rss:64907144kB",
            {"kind": "out_of_memory", "name": "python", "class": "application"},
        ),
        (
            "pcieport 0000:5d:00.0: PCIe Bus Error: severity=Corrected, type=Data Link Layer, (Receiver ID)",
            {"kind": "pcie_error", "pci": "0000:5d:00", "severity": "corrected", "class": "hardware"},
        ),
    ],
)
def test_each_kind_of_line_says_what_it_is(line: str, said: dict[str, Any]) -> None:
    found = one(line)
    assert {key: found[key] for key in said} == said


@pytest.mark.parametrize("code", sorted(XIDS))
def test_every_code_of_the_catalogue_decodes_to_its_own_words(code: int) -> None:
    found = one(f"NVRM: Xid (PCI:0000:1b:00): {code}, pid=1, name=a, words")
    xid = XIDS[code]
    assert (found["code"], found["name"], found["class"]) == (code, xid.name, xid.klass.value)
    assert found["action"] == xid.action.value


def test_the_driver_named_decides_between_two_layouts() -> None:
    line = "NVRM: Xid (PCI:0000:b3:00): 145, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x00000486 0x00000001)"
    assert one(line, "--driver", "595.45.04")["action"] == "RESET_GPU"
    assert one(line, "--driver", "565.57.01")["action"] == "WORKFLOW_NVLINK5_ERR"


def test_a_sentence_over_three_lines_counts_on_its_last_one() -> None:
    found = decoded(
        "[1.0] NVRM: The NVIDIA GPU 0000:18:00.0",
        "[1.0] NVRM: (PCI ID: 10de:2330) installed in this system has",
        "[1.0] NVRM: fallen off the bus and is not responding to commands.",
    )
    assert [each["kind"] for each in found] == ["none", "none", "gpu_lost"]
    assert (found[2]["pci"], found[2]["rules"]) == ("0000:18:00", ["kernel-gpu-off-the-bus"])


def test_lines_that_go_on_with_an_sxid_are_none() -> None:
    head = "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, "
    found = decoded(
        head + "Fatal, Link 32 x",
        head + "Severity 1 Engine instance 62 Sub-engine instance 00",
        head + "Data {0x1}",
    )
    assert [each["kind"] for each in found] == ["sxid", "none", "none"]


def test_equal_lines_are_each_a_line() -> None:
    found = decoded(*[LOST] * 50)
    assert [each["line"] for each in found] == list(range(1, 51))
    assert {each["kind"] for each in found} == {"xid"}


def test_lines_may_be_arguments_and_one_argument_may_hold_several() -> None:
    result = run("-o", "json", LOST, f"nothing\n{LOST}")
    assert [json.loads(line)["kind"] for line in result.output.splitlines()] == ["xid", "none", "xid"]


def test_a_lone_dash_is_standard_input_and_beside_others_a_line() -> None:
    assert json.loads(run("-o", "json", "-", lines=LOST).output)["kind"] == "xid"
    beside = run("-o", "json", "-", LOST, lines="").output
    assert [json.loads(line)["kind"] for line in beside.splitlines()] == ["none", "xid"]


def test_a_closed_standard_input_is_said_in_one_line() -> None:
    command = [sys.executable, "-m", "sickbay.cli.main", "decode"]
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "standard input is closed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_line_without_a_severity_of_its_own_has_that_of_its_rule() -> None:
    said = one("nvidia-nvswitch0: SXid (PCI:0000:07:00.0): 22013, Link 36 Minion Link DLREQ interrupt")
    assert (said["kind"], said["code"], said["severity"]) == ("sxid", 22013, "info")


def test_bytes_that_are_no_text_and_a_last_line_without_an_end_are_read() -> None:
    result = run("-o", "json", lines=b"\xff\xfe\n" + LOST.encode())
    assert [json.loads(line)["kind"] for line in result.output.splitlines()] == ["none", "xid"]


def test_a_line_without_end_is_cut_and_the_next_one_is_its_own() -> None:
    result = run("-o", "json", lines=b"x" * 3_000_000 + b"\n" + LOST.encode() + b"\n")
    assert [json.loads(line)["line"] for line in result.output.splitlines()] == [1, 2]
    assert json.loads(result.output.splitlines()[1])["kind"] == "xid"


def test_the_table_leaves_out_what_says_nothing_unless_it_is_asked_for() -> None:
    log = f"nothing\n[1.0] {LOST}\n"
    assert "none" not in run(lines=log).output
    assert "xid 79" in run(lines=log).output
    assert "rules: xid-79-gpu-off-the-bus" in run(lines=log).output
    assert "none" in run("--all", lines=log).output
    assert "none" in run("nothing").output


def test_the_table_says_what_registers_mean_and_what_a_line_goes_on_with() -> None:
    shown = run(
        "NVRM: Xid (PCI:0000:b3:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 01 (0x025001c6 0x0)",
        "NVRM: Xid (PCI:0000:b3:00): 45, Ch 1 caused by previous Xid 94",
        "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Data {0x1}",
    ).output
    assert "link down for reason 0x25" in shown
    assert "caused by Xid 94" in shown
    assert "more about the SXid before it" in shown


def test_a_log_without_any_fact_says_so_and_is_no_failure() -> None:
    result = run(lines="a\nb\n")
    assert result.exit_code == 0
    assert "nothing that we know of in 2 lines" in result.output


def test_neither_a_driver_nor_an_agent_nor_what_speaks_to_them_is_loaded() -> None:
    heavy = ("grpc", "google.protobuf", "pynvml", "sqlalchemy", "prometheus_client", "asyncio")
    code = f"import sys, sickbay.cli.decode; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_log_that_is_followed_is_decoded_line_by_line() -> None:
    command = [sys.executable, "-m", "sickbay.cli.main", "decode", "-o", "json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2):
            process.stdin.write(LOST.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["line"] == number
        process.stdin.close()
    assert process.returncode == 0


def test_a_form_that_there_is_not_is_a_usage_error() -> None:
    assert run("-o", "xml", LOST).exit_code == 2
