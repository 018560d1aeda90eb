"""Run all benchmarks, or those named, and keep their numbers in benchmarks/results.json."""

import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results.json"
NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(wanted: list[str]) -> int:
    """Measure and print; 2 when a name is no benchmark."""
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        sys.stderr.write(f"error: no such benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}\n")
        return 2
    console = Console()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.machine()}
    for name in wanted or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        with console.status(f"measuring {name} ..."):
            results[name] = module.measure()
        console.print(table(name, (module.__doc__ or "").splitlines()[0], results[name]))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"kept in {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")
    return 0


def table(name: str, caption: str, rows: dict[str, dict[str, float]]) -> Table:
    """One row per candidate, numbers to the right."""
    made = Table(title=f"{name}: {caption}", title_justify="left", title_style="bold")
    made.add_column("")
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    for column in columns:
        made.add_column(column, justify="right")
    for candidate, row in rows.items():
        made.add_row(candidate, *(f"{row[column]:g}" if column in row else "" for column in columns))
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
