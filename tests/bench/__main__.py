"""Measure everything that this machine can measure: python -m tests.bench [MODULE ...].

Each module beside this one that has a `measure() -> dict[str, Figure]` runs in a process of its own, one
after the other, so that none weighs on the next. The figures are printed and written to build/bench.json.
Exit 1 only if a module failed: a goal that is missed is a result, not an error.
"""

import importlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.bench.figures import Figure, NotHereError, cannot

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "bench.json"
LONGEST_S = 900.0
_IN_CHILD = "--in-child"


def modules() -> list[str]:
    """The measuring modules, by name."""
    found = sorted(path for path in Path(__file__).parent.glob("*.py"))
    return [path.stem for path in found if "\ndef measure(" in path.read_text(encoding="utf-8")]


def in_child(name: str, output: Path) -> None:
    """Measure one module here and leave its figures in a file."""
    try:
        figures = importlib.import_module(f"tests.bench.{name}").measure()
    except NotHereError as reason:
        figures = {name: cannot(str(reason))}
    output.write_text(json.dumps(figures or {name: cannot("this machine let nothing be measured")}))


def measured(name: str) -> tuple[dict[str, Figure], bool]:
    """A module's figures, and whether it came to its end."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "tests.bench", _IN_CHILD, name, str(output)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, timeout=LONGEST_S, capture_output=True, text=True, check=False
            )
        except subprocess.TimeoutExpired:
            return {name: cannot(f"did not end within {LONGEST_S:.0f} s")}, False
        if done.returncode == 0:
            return json.loads(output.read_text()), True
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return {name: cannot(f"failed with exit {done.returncode}: {last}")}, False


def table(figures: dict[str, Figure]) -> Table:
    """All figures, a row each."""
    shown = Table("figure", "value", "unit", "goal", "", box=None, pad_edge=False)
    marks = {True: "[green]ok[/]", False: "[red]missed[/]", None: ""}
    for name, figure in figures.items():
        value = figure.get("why", "") if figure["value"] is None else f"{figure['value']:,.10g}"
        goal = "" if figure["goal"] is None else f"≤ {figure['goal']:,.10g}"
        shown.add_row(name, value, figure["unit"], goal, marks[figure["ok"]])
    return shown


def main(names: list[str]) -> int:
    """Measure the named modules, or all; print as they come, write at the end."""
    console = Console()
    unknown = sorted(set(names) - set(modules()))
    if unknown:
        console.print(f"bench: no module {', '.join(unknown)}; there are: {', '.join(modules())}")
        return 2
    figures: dict[str, Figure] = {}
    complete = True
    for name in names or modules():
        began = time.monotonic()
        console.print(f"bench: {name} …", style="dim")
        found, ended = measured(name)
        figures |= found
        complete &= ended
        console.print(f"bench: {name}: {time.monotonic() - began:.0f} s", style="dim")
    console.print(table(figures))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")
    missed = sum(figure["ok"] is False for figure in figures.values())
    console.print(f"bench: {len(figures)} figures, {missed} missed, in {OUTPUT.relative_to(ROOT)}")
    return 0 if complete else 1


if __name__ == "__main__":
    if sys.argv[1:2] == [_IN_CHILD]:
        in_child(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
