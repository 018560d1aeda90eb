"""Renditions per second and peak memory: ours against plain Pillow, in one run on one machine.

Plain Pillow decodes the whole picture, resizes it with Lanczos and encodes it, as most thumbnailers do. Ours is the
function's own code. Each case runs in a process of its own, so that its peak memory is its own; ratios compare cases of
the same run, since the machine's speed is not ours to know.

Usage: ``python -m benchmarks.renditions [result.json]``
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

EDGES = (256, 800, 1600)
QUALITY = 82
PICTURES = {"12 MP": (4000, 3000), "24 MP": (6000, 4000)}
SECONDS = 2.0
ROOT = Path(__file__).parents[1]


def plain(source: Path, edges: tuple[int, ...]) -> None:
    """Decode once, then resize each from the full picture."""
    with Image.open(source) as picture:
        picture.load()
        for edge in edges:
            scale = edge / max(picture.size)
            size = (round(picture.width * scale), round(picture.height * scale))
            picture.resize(size, Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG", quality=QUALITY, optimize=True)


def ours(source: Path, edges: tuple[int, ...]) -> None:
    """The function's rules; one decoding for all edges."""
    from image_renditions.rules import render_many  # noqa: PLC0415 - plain Pillow's process must not pay for it

    with source.open("rb") as file:
        render_many(file, edges, quality=QUALITY)


WAYS: dict[str, Callable[[Path, tuple[int, ...]], None]] = {"plain": plain, "ours": ours}


def measure(way: str, source: Path, edges: tuple[int, ...]) -> dict[str, float]:
    """Run one case for a while: seconds for one call (the best of all) and peak megabytes of this process."""
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        WAYS[way](source, edges)
        best = min(best, time.perf_counter() - start)
    status = Path("/proc/self/status").read_text()
    return {"seconds": best, "peak_mb": int(status[status.index("VmHWM:") + 6 :].split()[0]) / 1000}


def _measured_apart(way: str, source: Path, edges: tuple[int, ...]) -> dict[str, float]:
    arguments = [sys.executable, "-m", "benchmarks.renditions", "--case", way, str(source), *map(str, edges)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'lambda_src'}"}
    done = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run() -> dict[str, Any]:
    """Measure all cases.

    Returns:
        ``{"cases": [{"picture", "renditions", "plain", "ours", "speedup", "memory"}]}`` where ``plain`` and ``ours``
        hold ``per_second`` (renditions) and ``peak_mb``, ``speedup`` is ours by plain, and ``memory`` ours by plain.
    """
    from tests.images import encode, photo  # noqa: PLC0415 - the measuring processes need none of it

    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in PICTURES.items():
            source = Path(folder) / f"{size[0]}.jpg"
            source.write_bytes(encode(photo(*size), "JPEG", quality=88))
            for edges in (*((edge,) for edge in EDGES), EDGES):
                found = {way: _measured_apart(way, source, edges) for way in WAYS}
                case: dict[str, Any] = {"picture": name, "renditions": "+".join(map(str, edges))}
                for way, result in found.items():
                    per_second = len(edges) / result["seconds"]
                    case[way] = {"per_second": round(per_second, 1), "peak_mb": round(result["peak_mb"])}
                case["speedup"] = round(found["plain"]["seconds"] / found["ours"]["seconds"], 2)
                case["memory"] = round(found["ours"]["peak_mb"] / found["plain"]["peak_mb"], 2)
                cases.append(case)
    return {"cases": cases}


def table(result: dict[str, Any]) -> str:
    """The result, aligned for reading."""
    lines = [f"{'JPEG':6} {'renditions':13} {'plain/s':>8} {'ours/s':>8} {'speed':>7} {'plain MB':>9} {'ours MB':>8}"]
    for case in result["cases"]:
        old, new = case["plain"], case["ours"]
        lines.append(
            f"{case['picture']:6} {case['renditions']:13} {old['per_second']:8.1f} {new['per_second']:8.1f} "
            f"{case['speedup']:6.2f}x {old['peak_mb']:9} {new['peak_mb']:8}"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the table and write the JSON when a file is named; ``--case`` measures one case for ``run``."""
    if arguments[:1] == ["--case"]:
        way, source, *edges = arguments[1:]
        sys.stdout.write(json.dumps(measure(way, Path(source), tuple(map(int, edges)))))
        return
    result = run()
    sys.stdout.write(table(result) + "\n")
    if arguments:
        Path(arguments[0]).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
