"""`make demo` in a fresh clone, set-up included, and once more: seconds of each and their ratio."""

import shutil
import subprocess
import time
from typing import Any

from benchmarks._measure import ROOT, run


def measure() -> dict[str, Any]:
    """Clone what is committed into build/bench, run the demo twice, take the clone away."""
    clone = ROOT / "build" / "bench" / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    clone.parent.mkdir(parents=True, exist_ok=True)
    run(["git", "clone", "--quiet", str(ROOT), str(clone)])
    seconds = {}
    try:
        for turn in ("first, with set-up", "second"):
            start = time.perf_counter()
            run(["make", "demo"], cwd=clone)
            seconds[turn] = time.perf_counter() - start
    finally:
        subprocess.run(["make", "clean"], cwd=clone, capture_output=True, check=False)  # noqa: S607
        shutil.rmtree(clone, ignore_errors=True)
    return {
        turn: {"seconds": round(taken, 1), "times the second": round(taken / seconds["second"], 2)}
        for turn, taken in seconds.items()
    }
