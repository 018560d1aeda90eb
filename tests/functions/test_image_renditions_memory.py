"""The largest accepted picture of each kind, rendered in a process of its own: its peak stays under 512 MB."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests import images

LAMBDA_SRC = Path(__file__).parents[2] / "lambda_src"
EDGE = 1600
# Everything that the function holds at that time is loaded: Powertools, boto3 with a client, Pillow.
CHILD = """
import sys
import boto3
from image_renditions import handler
from image_renditions.rules import RejectedError, render
boto3.client("s3", region_name="eu-west-1")
try:
    with open(sys.argv[1], "rb") as source:
        render(source, int(sys.argv[2]))
except RejectedError as refused:
    print(refused.rule)
status = open("/proc/self/status").read()
print("peak", status[status.index("VmHWM:") + 6:].split()[0])
"""
Maker = Callable[[int, int], bytes]


def plain(mode: str, format_: str, **options: object) -> Maker:
    return lambda width, height: images.encode(Image.new(mode, (width, height)), format_, **options)


def png(colour_type: int, depth: int = 8) -> Maker:
    return lambda width, height: images.png(width, height, colour_type=colour_type, depth=depth)


KINDS: dict[str, Maker] = {
    "jpeg": plain("RGB", "JPEG", subsampling=0),
    "progressive jpeg": plain("RGB", "JPEG", subsampling=0, progressive=True),
    "progressive cmyk jpeg": plain("CMYK", "JPEG", progressive=True),
    "rgb png": png(2),
    "rgba png": png(6),
    "16-bit grey png": png(0, depth=16),
    "palette png with a transparent colour": plain("P", "PNG", transparency=0),
    "rgb png with a transparent colour": plain("RGB", "PNG", transparency=(0, 0, 0)),
    "transparent gif": plain("P", "GIF", transparency=0),
    "webp": plain("RGB", "WEBP", method=0),
    "webp with alpha": plain("RGBA", "WEBP", method=0),
}


def rendered(data: bytes, folder: Path) -> tuple[str, int]:
    """Limit that refused it, if any, and the peak in bytes."""
    source = folder / "source"
    source.write_bytes(data)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), str(EDGE)],
        env={"PYTHONPATH": str(LAMBDA_SRC), "POWERTOOLS_TRACE_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    limit, _, peak = child.stdout.rpartition("peak ")
    return limit.strip(), int(peak) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_the_largest_accepted_picture_stays_under_512_mb(make: Maker, tmp_path: Path) -> None:
    limit, peak = rendered(make(8164, 6123), tmp_path)  # 49 987 572 pixels, under the general limit
    if limit:
        allowed = re.match(r"pixels: at most (\d+) for a ", limit)
        assert allowed, limit
        assert 15_000_000 < int(allowed[1]) < 50_000_000
        height = int((int(allowed[1]) * 0.75) ** 0.5)
        assert peak < 100e6, "refused before decoding"
        limit, peak = rendered(make(int(allowed[1]) // height, height), tmp_path)
        assert not limit, "a picture within the stated limit is accepted"
    assert 90e6 < peak < 512e6
