"""The report in lines."""

import click
import pytest

from sickbay.cli.host_report import GpuRow
from sickbay.cli.host_text import gpu_lines


def a_row(slot: int, *, name: str = "NVIDIA H100 80GB HBM3", **given: object) -> GpuRow:
    usual: dict[str, object] = {
        "slot": slot,
        "pci": f"0000:{slot + 16:02x}:00",
        "uuid": "GPU-6b1a0f0e-1b00-4c1d-9a51-5d8f5f0a1b00",
        "name": name,
        "state": "unhealthy",
        "wrong": (),
        "temperature": 107,
        "memory_temperature": 95,
        "power": 699.7,
        "power_limit": 700.0,
        "ecc_corrected": 17000,
        "ecc_uncorrected": 12,
        "nvlinks_active": 18,
        "nvlinks": 18,
        "processes": 1,
        "jobs": "slurm:4711",
        "read_at": 1.0,
    }
    return GpuRow(**{**usual, **given})  # type: ignore[arg-type]  # a test names the fields it is about


def test_sixteen_busy_gpus_fit_into_80_columns() -> None:
    lines = [click.unstyle(line) for line in gpu_lines([a_row(slot) for slot in range(16)], "570.124.06")]
    assert lines[0] == "16 GPUs, NVIDIA H100 80GB HBM3, driver 570.124.06"
    assert max(len(line) for line in lines) <= 80


def test_gpus_of_two_kinds_are_told_apart_by_a_column() -> None:
    lines = [click.unstyle(line) for line in gpu_lines([a_row(0), a_row(1, name="NVIDIA L4")])]
    assert "NAME" in lines[1]
    assert "L4" in lines[3]


@pytest.mark.parametrize(
    ("processes", "jobs", "word"),
    [
        (None, None, "?"),
        (0, "", "-"),
        (1, "slurm:4711", "job 4711"),
        (3, "", "3 processes"),
        (2, None, "2 processes"),
        (2, "pod:0b6a1f2e-7c11-4d53-9a51-5d8f5f0a1b00", "pod:0b6a1f2e-+"),
    ],
)
def test_a_gpu_shows_the_job_that_it_works_for(processes: int | None, jobs: str | None, word: str) -> None:
    assert word in click.unstyle(gpu_lines([a_row(0, processes=processes, jobs=jobs)])[2])


def test_a_host_without_gpus_says_so() -> None:
    assert gpu_lines([]) == ["no GPUs: the driver shows none, or could not be asked"]
