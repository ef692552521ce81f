"""The exposition format, as Prometheus's own parser reads it."""

from prometheus_client.parser import text_string_to_metric_families

from sickbay.node.exposition import Family, Histogram, Sample, rendered


def parsed(*families: Family) -> dict[str, list[tuple[dict[str, str], float]]]:
    page = rendered(families).decode()
    return {
        sample.name: [(s.labels, s.value) for s in family.samples if s.name == sample.name]
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_labels_with_quotes_backslashes_and_line_breaks_come_back_as_they_were() -> None:
    nasty = 'a "quoted" \\ back\nslash'
    found = parsed(Family("x", "gauge", f"about {nasty}", [Sample({"part": nasty}, 1.5)]))
    assert found == {"x": [({"part": nasty}, 1.5)]}


def test_a_histogram_is_cumulative_and_ends_at_infinity() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)
    found = parsed(Family("h", "histogram", "about", histogram.samples({})))
    assert [(labels["le"], value) for labels, value in found["h_bucket"]] == [
        ("0.1", 2.0),
        ("1", 3.0),
        ("+Inf", 4.0),
    ]
    assert found["h_count"] == [({}, 4.0)]
    assert found["h_sum"] == [({}, 7.65)]


def test_a_family_without_series_keeps_its_help_and_type() -> None:
    assert rendered([Family("x", "counter", "about", [])]) == b"# HELP x about\n# TYPE x counter\n"


def test_large_counts_are_whole_numbers() -> None:
    assert b"x 12345678901\n" in rendered([Family("x", "counter", "about", [Sample({}, 12345678901.0)])])
