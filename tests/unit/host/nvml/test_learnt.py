"""What a GPU can tell is known of every reading, whichever were asked for last."""

from sickbay.host.nvml.answers import GROUP_OF
from sickbay.host.nvml.learnt import Learnt
from sickbay.host.nvml.messages import SweptGpu
from sickbay.host.nvml.readings import Capability, GpuState, GpuSweep, Knowledge

PCI = "0000:1b:00"


def answer(code: int = 0, codes: dict[str, int] | None = None, **values: int) -> SweptGpu:
    return SweptGpu(target=PCI, pci=PCI, code=code, values=dict(values), codes=codes or {})


def capabilities(learnt: Learnt) -> dict[str, Capability]:
    gpu = GpuSweep(pci=PCI, slot=0, state=GpuState.READ, learnt=learnt.of(PCI))
    return dict(gpu.capabilities())


def test_every_reading_is_in_the_map_and_what_was_never_asked_is_unknown():
    seen = capabilities(Learnt())
    assert seen.keys() == GROUP_OF.keys()
    assert {one.knowledge for one in seen.values()} == {Knowledge.UNKNOWN}


def test_what_was_learnt_in_an_earlier_sweep_stays_and_the_last_word_counts():
    first = Learnt().after([answer(codes={"c2c_links": 3, "margin": 13}, temperature=33, fabric_state=3)])
    seen = capabilities(first.after([answer(codes={"temperature": 4})]))
    assert seen["fabric_state"] == Capability(knowledge=Knowledge.VALUE)
    assert seen["c2c_links"].knowledge is Knowledge.NOT_APPLICABLE
    assert seen["margin"].why == "FUNCTION_NOT_FOUND: this driver is too old to say"
    assert seen["temperature"] == Capability(knowledge=Knowledge.UNKNOWN, why="NO_PERMISSION")


def test_a_lost_gpu_says_nothing_of_what_it_can_tell():
    first = Learnt().after([answer(temperature=33)])
    assert first.after([answer(15, codes={"temperature": 15})]) is first


def test_nothing_new_makes_nothing_new():
    first = Learnt().after([answer(temperature=33)])
    assert first.after([answer(temperature=34)]) is first
