"""Ranges of driver versions."""

import pytest

from sickbay.core.versions import VersionRange


@pytest.mark.parametrize(
    ("text", "version", "holds"),
    [
        (">=550", "570.124.06", True),
        (">=550, <575", "575.51.02", False),
        (">=550, <575", "550.54.15", True),
        ("==570", "570.0.0", True),
        ("!=570.124", "570.124.0", False),
        ("!=570.124", "570.124.6", True),
        (">570.9", "570.124.06", True),
        ("<=535.104.05", "535.104.5", True),
        (">=1", "", None),
        (">=1", "unknown", None),
    ],
)
def test_a_version_is_held_against_every_bound(*, text: str, version: str, holds: bool | None):
    assert VersionRange.parse(text).holds(version) is holds


@pytest.mark.parametrize("text", ["", "550", ">=", ">=550,", ">= five", "~=550"])
def test_a_text_that_is_no_range_says_what_one_is(text: str):
    with pytest.raises(ValueError, match="is no bound such as"):
        VersionRange.parse(text)


def test_a_range_is_written_as_it_is_read():
    assert VersionRange.parse(str(VersionRange.parse(">=550.54,<575"))) == VersionRange.parse(
        ">=550.54, <575"
    )
