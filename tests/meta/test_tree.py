"""Rules that every file of the repository keeps."""

import re

from tests.meta.tree import ending, files, is_generated, text

LONGEST = 400
PAIRS = (
    ("/wo", "rk/"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("index", "-url"),
    ("deb.debian", ".org"),
)
NAMES_TO_AVOID = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
FORBIDDEN = re.compile("|".join(re.escape(first + second) for first, second in PAIRS))
"""A path of somebody's machine, or where packages come from: a site's own business. Split, or they would
find themselves here."""


def test_every_file_is_short_enough_to_be_read() -> None:
    written = [name for name in ending(".py", ".sh", ".md") if not is_generated(name)]
    lines = {name: text(name).count("\n") for name in written}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}, "split by subject"


def test_no_file_names_a_private_path_or_a_package_index() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in files()
        for number, line in enumerate(text(name).splitlines(), start=1)
        if FORBIDDEN.search(line) and "--no-emit-" not in line
    ]
    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    stems = {name: name.rsplit("/", 1)[-1].partition(".")[0] for name in ending(".py")}
    assert [name for name, stem in stems.items() if stem in NAMES_TO_AVOID] == []


def test_a_unit_test_mirrors_the_module_that_it_tests() -> None:
    """tests/unit/core/test_gates.py tests agent/sickbay/core/gates.py, or a package of that name.

    tests/unit/fakes/ does the same for tests/fakes/.
    """
    own = [name.removeprefix("agent/sickbay/").removeprefix("tests/") for name in ending(".py")]
    modules = {name.removesuffix(".py") for name in own}
    modules |= {name.removesuffix("/__init__") for name in modules}
    astray = [
        name
        for name in ending(".py")
        if (found := re.fullmatch(r"tests/unit/(.*?)test_(\w+)\.py", name))
        and f"{found[1]}{found[2]}" not in modules
    ]
    assert astray == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        name
        for name in ending("__init__.py")
        if name.startswith("agent/") and not is_generated(name) and not text(name).startswith('"""')
    ]
    assert silent == []
