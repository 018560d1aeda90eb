"""Renditions per second and peak memory: ours against plain Pillow, in one run on one machine.

Plain Pillow decodes the whole picture, resizes it with Lanczos and encodes it, as most thumbnailers do. Ours is the
function's own code. Each case runs in a process of its own, so that its peak memory is its own; ratios compare cases of
the same run, since the machine's speed is not ours to know.
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


def case(way: str, source: Path, edges: tuple[int, ...]) -> dict[str, float]:
    """Run one case for a while: seconds for one call (the best of all) and peak megabytes of this process."""
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        WAYS[way](source, edges)
        best = min(best, time.perf_counter() - start)
    status = Path("/proc/self/status").read_text()
    return {"seconds": best, "peak_mb": int(status[status.index("VmHWM:") + 6 :].split()[0]) / 1000}


def _measured_apart(way: str, source: Path, edges: tuple[int, ...]) -> dict[str, float]:
    arguments = [sys.executable, "-m", "benchmarks.renditions", way, str(source), *map(str, edges)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'lambda_src'}"}
    done = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure() -> dict[str, Any]:
    """Renditions per second and peak memory of each case, and ours by plain."""
    from tests.images import encode, photo  # noqa: PLC0415 - the measuring processes need none of it

    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, size in PICTURES.items():
            source = Path(folder) / f"{size[0]}.jpg"
            source.write_bytes(encode(photo(*size), "JPEG", quality=88))
            for edges in (*((edge,) for edge in EDGES), EDGES):
                found = {way: _measured_apart(way, source, edges) for way in WAYS}
                rows[f"{name} to {' + '.join(map(str, edges))}"] = {
                    "plain per second": round(len(edges) / found["plain"]["seconds"], 1),
                    "ours per second": round(len(edges) / found["ours"]["seconds"], 1),
                    "times as fast": round(found["plain"]["seconds"] / found["ours"]["seconds"], 2),
                    "plain peak MB": round(found["plain"]["peak_mb"]),
                    "ours peak MB": round(found["ours"]["peak_mb"]),
                    "times the memory": round(found["ours"]["peak_mb"] / found["plain"]["peak_mb"], 2),
                }
    return rows


if __name__ == "__main__":
    # One case in a process of its own, for measure().
    way, source, *edges = sys.argv[1:]
    sys.stdout.write(json.dumps(case(way, Path(source), tuple(map(int, edges)))))
