"""Links of a simulated node, through the worker, the monitors and the profiles that come with the code."""

from pathlib import Path

from tests.fakes.nvml_host import Watched, simulated, watch

from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.readings import Sweep
from sickbay.host.platform_files import load_platforms
from sickbay.monitors.known import Known
from sickbay.monitors.table import SWEEP_MONITORS
from sickbay.sim.scenario import NvlinkDown
from sickbay.sim.simulated_node import create_node, inject_fault

IS_SO = {
    "expected_links": ("expected_links", "active"),
    "expected_speed": ("expected", "slowest"),
    **dict.fromkeys(("expected_version", "expected_generation", "expected_width"), ("expected_", "")),
}
"""What is expected -> how the name of what is so differs from it."""

LINKS = ("pcie", "nvlink", "nvlink_errors", "fabric", "c2c")


def told(seen: Sweep, previous: Sweep | None = None) -> list[Signal]:
    known = Known(previous=previous, platforms=load_platforms().platforms)
    signals = [signal for name in LINKS for signal in SWEEP_MONITORS[name].judge(seen, known)]
    assert all(is_declared(signal) for signal in signals)
    return signals


async def looked_at_twice(host: Watched) -> tuple[Sweep, Sweep]:
    await host.complete()
    return await host.sweep(everything=True), await host.sweep(everything=True)


async def test_every_link_of_a_healthy_node_is_as_its_profile_says(tmp_path: Path):
    host = watch(simulated(create_node(tmp_path / "node").path))
    first, second = await looked_at_twice(host)
    await host.client.close()
    signals = told(second, first)
    assert len(signals) == 8 * (len(LINKS) - 1), "a signal of each kind a GPU, and none of C2C"
    for signal in signals:
        expected = {name: value for name, value in signal.fields.items() if name.startswith("expected_")}
        assert expected == {name: signal.fields[name.replace(*IS_SO[name])] for name in expected}
        assert {value for name, value in signal.fields.items() if name.startswith("new_")} <= {0, None}
    assert {s.fields["new_errors"] for s in signals if s.kind == "nvlink_errors"} == {0}
    assert {s.fields["state"] for s in signals if s.kind == "fabric"} == {"completed"}


async def test_a_link_that_goes_down_is_named_on_its_gpu_alone(tmp_path: Path):
    node = create_node(tmp_path / "node")
    host = watch(simulated(node.path))
    healthy, _ = await looked_at_twice(host)
    inject_fault(node.path, NvlinkDown(gpu=3, link=7))
    await host.until(lambda sweep: 0 in sweep.gpus[3].values.get("nvlink_states", ()))  # type: ignore[operator]
    down = await host.sweep(everything=True)
    await host.client.close()
    first = [s.fields["first_inactive"] for s in told(down, healthy) if s.kind == "nvlink"]
    assert first == [-1, -1, -1, 7, -1, -1, -1, -1]
