"""One simulated GPU node, and the worker's own objects over it."""

import mmap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.gpu_reader import GpuReader
from sickbay.host.nvml.profile import GpuProfile, Profile, load_profile
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.simulated_node import H100X8, create_node

Make = Callable[..., tuple[GpuReader, Caller]]


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return tmp_path / "node"


@pytest.fixture
def reader(node: Path) -> Iterator[Make]:
    """Makes a reader of the first GPU: readings changed, refused or left out, symbols lacking."""
    with ExitStack() as stack:

        def make(**changes: object) -> tuple[GpuReader, Caller]:
            create_node(node, profile=changed(load_profile(H100X8), changes))
            stack.enter_context(loaded(node))
            caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
            handle = caller.ask("nvmlDeviceGetHandleByIndex", 0)
            return GpuReader(caller, handle, "0000:1b:00"), caller

        yield make


def changed(profile: Profile, changes: dict[str, object]) -> Profile:
    """The profile with `values`, `failures` or `lacks` of a test."""
    values = changes.get("values", {})
    failures = changes.get("failures", {})
    lacks = changes.get("lacks", ())
    assert isinstance(values, dict)
    assert isinstance(failures, dict)
    assert isinstance(lacks, tuple)
    gpus = tuple(
        GpuProfile(
            pci=gpu.pci,
            values={name: v for name, v in {**gpu.values, **values}.items() if name not in failures},
            failures={**gpu.failures, **failures},
        )
        for gpu in profile.complete_gpus()
    )
    return msgspec.structs.replace(profile, gpus=gpus, defaults=GpuProfile(), lacks=lacks)
