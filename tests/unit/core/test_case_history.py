"""A case as a history: clocks, boots, facts and what comes together."""

from tests.support.cases import PLATFORMS, bench, read_cases

from sickbay.core.case_history import EPOCH, history_of
from sickbay.core.history import Began, Looked, WasReset
from sickbay.core.ids import BootId
from sickbay.host.case_files import profiles_by_id

CASE = """
- name: a night
  node: {name: gpu-7, pool: h100, driver: 575.57.08, platform: h100-sxm5}
  uptime: 10m
  given:
    - {at: 0s, kind: temperature, of: gpu 0000:1b:00, fields: {gpu: 50}}
    - {at: 0s, kind: temperature, of: gpu 0000:2c:00, fields: {gpu: 50}}
    - {at: 5s, ago: 1h, line: "NVRM: Xid (PCI:0000:3d:00): 79, words"}
    - {at: 20s, boot: true}
    - {at: 25s, kind: clocks, of: gpu 0000:1b:00, fields: {idle: true}}
    - {at: 25s, reset: 0000:1b:00}
  expect: [{at: 1m, open: []}]
"""


def test_a_case_becomes_the_history_of_its_node() -> None:
    (case,), _ = read_cases(CASE)
    history = history_of(case, bench().read_lines, profiles_by_id(PLATFORMS))
    began, first, line, again, reset, last = history.entries
    assert isinstance(began, Began)
    assert began.facts.driver == "575.57.08"
    assert {pci: gpu.platform for pci, gpu in began.facts.gpus.items()} == dict.fromkeys(
        ("0000:1b:00", "0000:2c:00", "0000:3d:00"), "h100-sxm5"
    )
    assert isinstance(first, Looked)
    assert (len(first.signals), first.now.mono, first.now.wall) == (2, 600.0, EPOCH)
    assert isinstance(line, Looked)
    assert (line.now.mono, line.signals[0].at.mono) == (605.0, 0.0), "no earlier than the boot"
    assert isinstance(again, Began)
    assert (again.boot_id, again.now.mono, again.now.wall) == (BootId("boot-2"), 0.0, EPOCH + 20)
    assert isinstance(reset, WasReset)
    assert isinstance(last, Looked)
    assert last.now.mono == 5.0
    assert history.moment(19.0).mono == 619.0
    assert history.moment(30.0).mono == 10.0


def test_the_same_case_can_befall_another_node() -> None:
    (case,), _ = read_cases(CASE)
    history = history_of(case, bench().read_lines, {}, node="gpu-8")
    assert {entry.node for entry in history.entries} == {"gpu-8"}
    began = history.entries[0]
    assert isinstance(began, Began)
    assert (began.facts.node, dict(began.facts.gpus)) == ("gpu-8", {})
