"""Every form in which the NVSwitch driver prints an SXid, what only goes on with one, and near misses."""

import pytest

from sickbay.core.sxid_lines import SxidLine, SxidMore, parse_sxid, read_sxid

HEAD = "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): "


def line(**said: object) -> SxidLine:
    fields = {"pci": "0000:05:00", "code": 12028, "switch": "nvidia-nvswitch3", **said}
    return SxidLine(**fields)  # type: ignore[arg-type]


FORMS = {
    HEAD + "12028, Non-fatal, Link 32 egress non-posted PRIV error (First)": line(
        severity="Non-fatal", link=32, message="egress non-posted PRIV error", first=True
    ),
    HEAD + "12028, Non-fatal, Link 32 egress non-posted PRIV error": line(
        severity="Non-fatal", link=32, message="egress non-posted PRIV error"
    ),
    HEAD + "20034, Fatal, Link 30 LTSSM Fault Up": line(
        code=20034, severity="Fatal", link=30, message="LTSSM Fault Up"
    ),
    HEAD + "11012, Correctable, Link 05 ingress header ECC limit": line(
        code=11012, severity="Correctable", link=5, message="ingress header ECC limit"
    ),
    HEAD + "10003, Fatal, unhandled interrupt in f(0)": line(
        code=10003, severity="Fatal", message="unhandled interrupt in f(0)"
    ),
    HEAD + "14017, Fatal, TS ATO timeout, instance=0, chiplet=0": line(
        code=14017, severity="Fatal", message="TS ATO timeout, instance=0, chiplet=0"
    ),
    "nvidia-nvswitch0: SXid (PCI:0000:C1:00.0): 22013, Nonfatal, Link 7": line(
        pci="0000:c1:00", code=22013, switch="nvidia-nvswitch0", severity="Non-fatal", link=7
    ),
    HEAD + "30001, something new": line(code=30001, message="something new"),
    HEAD + "30001": line(code=30001),
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_driver_is_read(text: str) -> None:
    assert read_sxid(text) == parse_sxid(text) == FORMS[text]


MORE = {
    HEAD + "12028, Severity 1 Engine instance 62 Sub-engine instance 00": SxidMore(
        pci="0000:05:00", code=12028, switch="nvidia-nvswitch3", grade=1, engine=62, sub_engine=0
    ),
    HEAD + "12028, Data {0x00140004, 0x00100000, 0x00000000}": SxidMore(
        pci="0000:05:00", code=12028, switch="nvidia-nvswitch3", data=(0x140004, 0x100000, 0)
    ),
}


@pytest.mark.parametrize("text", MORE)
def test_lines_that_go_on_with_an_sxid_are_no_sxids_of_their_own(text: str) -> None:
    assert read_sxid(text) == MORE[text]
    assert parse_sxid(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress (First)",
        "python: nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Fatal, Link 1 x",
        "nvidia-nvswitch3: Xid (PCI:0000:05:00.0): 12028, Fatal, Link 1 x",
        "nvidia-nvswitch3: SXid (PCI:0000:05): 12028, Fatal, Link 1 x",
        "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): abc, Fatal, Link 1 x",
        "nvidia-nvswitch3: SXid (PCI:0000:05:00.0) 12028, Fatal, Link 1 x",
        "NVRM: SXid (PCI:0000:66:00.0): 12028, Non-fatal, Link 32",
        "NVRM: Xid (PCI:0000:66:00): 79, GPU has fallen off the bus.",
        "x\nnvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Fatal, Link 1 x",
    ],
)
def test_near_misses_and_other_programs_are_none(text: str) -> None:
    assert read_sxid(text) is None


def test_data_that_is_cut_is_an_error_with_its_words_rather_than_nothing() -> None:
    assert read_sxid(HEAD + "12028, Data {0x00140004, 0x001") == line(message="Data {0x00140004, 0x001")
