"""Monitors run side by side: one that fails is said, and costs no other anything."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.fakes.node_parts import INVENTORY, Parts
from tests.fakes.words import a_condition

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import Signal
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.catalogue import MODES, TEMPERATURE
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep, Unavailable
from sickbay.host.pci_devices import PciView
from sickbay.monitors.known import Known
from sickbay.monitors.table import SweepMonitor
from sickbay.node import sweep_judgement
from sickbay.node.sweep_judgement import Judged, SweepJudgement


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def sweep(parts: Parts, **changes: object) -> Sweep:
    gpu = GpuSweep(pci="0000:1a:00", slot=0, state=GpuState.READ, uuid="GPU-0", values={"temperature": 40})
    made: dict[str, object] = {"at": parts.clock.now(), "gpus": (gpu,), "count": 1, "driver_version": "570.1"}
    return Sweep(**{**made, **changes})  # type: ignore[arg-type]


def test_a_sweep_gives_readings_and_the_inventory_that_shows(parts: Parts) -> None:
    judged = SweepJudgement(parts.status, "nvidia")(sweep(parts))
    assert {signal.kind for signal in judged.signals} >= {"temperature", "gpu_lost", "inventory"}
    assert [gpu.uuid for gpu in judged.inventory.gpus] == ["GPU-0"]
    assert judged.inventory.nvml == "nvidia 570.1"
    assert judged.trouble == ""


def test_a_sweep_in_which_nobody_answered_leaves_the_inventory_as_it_was(parts: Parts) -> None:
    parts.status.inventory = INVENTORY
    nobody = sweep(parts, gpus=(), count=None, unavailable=Unavailable(reason="no driver", retry_in=1.0))
    judged = SweepJudgement(parts.status, "nvidia")(nobody)
    assert judged.inventory == INVENTORY
    assert judged.trouble == "no driver"


def test_a_monitor_with_a_defect_is_unknown_once_and_the_others_go_on(
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_sweep: Sweep, _known: Known) -> tuple[Signal, ...]:
        raise KeyError("temperature")

    defective = SweepMonitor(judge=fails)

    whole = dict(sweep_judgement.SWEEP_MONITORS)
    judgement = SweepJudgement(parts.status, "nvidia")
    monkeypatch.setattr(sweep_judgement, "SWEEP_MONITORS", MappingProxyType({**whole, "thermal": defective}))
    first, second = judgement(sweep(parts)), judgement(sweep(parts))

    def told(signals: tuple[Signal, ...]) -> list[tuple[object, object]]:
        return [
            (s.fields["healthy"], s.fields["detail"])
            for s in signals
            if s.kind == "monitor" and s.fields["name"] == "thermal"
        ]

    assert told(first.signals) == [(False, "a defect in the monitor itself: KeyError: 'temperature'")]
    assert told(second.signals) == []
    assert "gpu_lost" in {signal.kind for signal in first.signals}
    monkeypatch.setattr(sweep_judgement, "SWEEP_MONITORS", MappingProxyType(whole))
    assert told(judgement(sweep(parts)).signals) == [(True, "")]


def test_a_monitor_whose_readings_were_not_due_says_nothing_and_remembers_the_last_that_were(
    parts: Parts,
) -> None:
    judgement = SweepJudgement(parts.status, "nvidia")
    judgement(counted(parts, corrected=0, after=0.0))
    without = judgement(counted(parts, corrected=50, after=10.0, groups=frozenset({"temperature"})))
    assert "ecc" not in {signal.kind for signal in without.signals}
    again = judgement(counted(parts, corrected=100, after=20.0))
    (ecc,) = [signal for signal in again.signals if signal.kind == "ecc"]
    assert ecc.fields["corrected_rate"] == pytest.approx(100 / 20)


def counted(parts: Parts, *, corrected: int, after: float, **changes: object) -> Sweep:
    values = {"ecc_corrected_volatile": corrected}
    gpu = GpuSweep(pci="0000:1a:00", slot=0, state=GpuState.READ, uuid="GPU-0", values=values)
    return sweep(parts, gpus=(gpu,), at=parts.clock.now().later(after), **changes)


def test_a_link_with_an_open_condition_is_spoken_of_while_it_is_well(parts: Parts) -> None:
    judgement = SweepJudgement(parts.status, "nvidia")
    judgement(linked(parts, after=0.0))
    assert spoken(judgement(linked(parts, after=30.0))) == []
    link = Subject(scope=Scope.LINK, pci="0000:1a:00", link=1)
    parts.status.conditions = (replace(a_condition(), subject=link),)
    assert spoken(judgement(linked(parts, after=60.0))) == [1]


def spoken(judged: Judged) -> list[int | None]:
    return [signal.subject.link for signal in judged.signals if signal.kind == "nvlink_link"]


def linked(parts: Parts, *, after: float) -> Sweep:
    counters = {"nvlink_replays": (0, 0), "nvlink_recoveries": (0, 0), "nvlink_crc": (0, 0)}
    gpu = GpuSweep(pci="0000:1a:00", slot=0, state=GpuState.READ, uuid="GPU-0", values=counters)
    return sweep(parts, gpus=(gpu,), at=parts.clock.now().later(after))


def test_what_is_read_seldom_is_remembered_by_gpu_and_the_last_look_at_the_kernel_stands(
    parts: Parts,
) -> None:
    judgement = SweepJudgement(parts.status, "nvidia")
    (gpu,) = sweep(parts).gpus
    cut = replace(gpu, values={"mig_profiles": "7g.80gb"})
    judgement(sweep(parts, gpus=(cut,), groups=frozenset({MODES})), KernelView(pci=PciView()))
    judged = judgement(sweep(parts, groups=frozenset({TEMPERATURE})))
    assert [each.mig for each in judged.inventory.gpus] == ["7g.80gb"]
    (told,) = [signal for signal in judged.signals if signal.kind == "inventory"]
    assert told.fields["on_bus"] == 0
