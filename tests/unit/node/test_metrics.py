"""Figures: everything the agent knows, in names that Prometheus accepts."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.fakes.node_parts import Parts

from sickbay.core.signals import KINDS, FieldType
from sickbay.node.metrics import page


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def series(parts: Parts) -> dict[str, dict[str, float]]:
    text = page(parts.status.view(parts.clock.now().wall), parts.judge.counters).decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type != "unknown", family.name
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels.get("part", "")] = sample.value
    return found


def test_every_number_in_the_catalogue_of_signals_has_a_metric_of_its_own(parts: Parts) -> None:
    text = page(parts.status.view(0.0), parts.judge.counters).decode()
    for field, declared in KINDS["ecc"].items():
        assert declared.type is not FieldType.TEXT
        assert f"# TYPE sickbay_ecc_{field}" in text
    assert "# TYPE sickbay_temperature_gpu_celsius gauge" in text


def test_a_reading_is_a_series_and_what_is_unknown_is_none(parts: Parts) -> None:
    parts.status.take_readings([parts.reading("temperature", gpu=41, memory=None, slowdown_at=90)])
    found = series(parts)
    assert found["sickbay_temperature_gpu_celsius"] == {"gpu/0000:1a:00": 41.0}
    assert "sickbay_temperature_memory_celsius" not in found
    assert found["sickbay_sample_timestamp_seconds"] == {"": parts.clock.now().wall}


def test_a_gauge_ends_as_no_counter_and_no_histogram_does_and_names_its_unit(parts: Parts) -> None:
    text = page(parts.status.view(0.0), parts.judge.counters).decode()
    gauges = [line.split()[2] for line in text.splitlines() if line.endswith(" gauge")]
    taken = ("_total", "_count", "_sum", "_bucket")
    assert [name for name in gauges if name.endswith(taken)] == []
    assert {"sickbay_gpu_memory_total_bytes", "sickbay_power_instant_watts"} <= {*gauges}
    assert {"sickbay_gpu_processes_count_now", "sickbay_filesystem_free_bytes"} <= {*gauges}
    assert "sickbay_clock_may_be_off_seconds" in gauges


def test_what_only_ever_happens_has_no_gauge(parts: Parts) -> None:
    text = page(parts.status.view(0.0), parts.judge.counters).decode()
    assert not any(f"sickbay_{kind}_" in text for kind in ("cpu_stall", "out_of_memory", "hung_task"))


def test_health_is_one_word_out_of_four(parts: Parts) -> None:
    text = page(parts.status.view(0.0), parts.judge.counters).decode()
    assert 'sickbay_health{health="unknown"} 1' in text
    assert 'sickbay_health{health="healthy"} 0' in text


def test_xids_of_ever_more_gpus_and_codes_do_not_grow_without_end(parts: Parts) -> None:
    for number in range(1500):
        parts.judge.counters.count_event(parts.xid(number, number))
    assert len(parts.judge.counters.xids) <= 1501
    assert sum(parts.judge.counters.xids.values()) == 1500
