"""Any picture: how large its rendition is, and that no content whatever ends in an error."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from image_renditions.rules import RejectedError, render
from tests import images
from tests.images import opened


@pytest.mark.parametrize(
    ("size", "edge", "expected"),
    [
        ((640, 480), 256, (256, 192)),
        ((480, 640), 256, (192, 256)),
        ((256, 256), 256, (256, 256)),
        ((100, 50), 256, (100, 50)),
        ((1, 1), 256, (1, 1)),
        ((3000, 2), 256, (256, 1)),
        ((2, 3000), 256, (1, 256)),
        ((257, 100), 256, (256, 100)),
    ],
)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_sizes(size: tuple[int, int], edge: int, expected: tuple[int, int], format_: str) -> None:
    assert opened(render(images.encode(Image.new("RGB", size), format_), edge).data).size == expected


KINDS = [
    *[("JPEG", mode) for mode in ("RGB", "L", "CMYK")],
    *[("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")],
    *[("WEBP", mode) for mode in ("RGB", "RGBA")],
    ("GIF", "P"),
]


def test_what_the_decoder_adds_at_the_edge_is_cut_off() -> None:
    picture = Image.new("L", (9, 9))
    picture.paste(255, (8, 0, 9, 9))  # decoded at a quarter of the size, this column is a third of the picture
    small = opened(render(images.encode(picture, "JPEG", quality=100), 1).data)
    level = small.getpixel((0, 0))
    assert isinstance(level, int | float)
    assert level < 65, "about 255 / 9, not 255 / 3"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    edge=st.integers(1, 400),
    orientation=st.integers(1, 8),
    kind=st.sampled_from(KINDS),
)
def test_any_picture_fits_keeps_its_shape_and_loses_its_metadata(
    width: int, height: int, edge: int, orientation: int, kind: tuple[str, str]
) -> None:
    format_, mode = kind
    options = {} if format_ == "GIF" else {"exif": images.exif(orientation)}
    turned = format_ != "GIF" and orientation >= 5
    rendition = render(images.encode(Image.new(mode, (width, height)), format_, **options), edge)
    picture = opened(rendition.data)
    assert picture.size == (rendition.width, rendition.height)
    upright = (height, width) if turned else (width, height)
    scale = min(1.0, edge / max(width, height))
    assert max(picture.size) == min(edge, max(width, height))
    for found, wanted in zip(picture.size, upright, strict=True):
        assert abs(found - wanted * scale) <= 1
        assert 1 <= found <= wanted
    assert not picture.getexif()
    assert not any(word in rendition.data for word in (b"PrivateCamera", b"Exif"))


SEEDS = [
    images.jpeg(120, 90, exif=images.exif(6)),
    images.jpeg(120, 90, progressive=True, icc_profile=images.red_green_swapped_profile()),
    images.encode(images.with_alpha("RGBA", 90, 60), "PNG", exif=images.exif(3)),
    images.encode(images.with_alpha("P", 90, 60), "GIF"),
    images.encode(images.with_alpha("RGBA", 90, 60), "WEBP", exif=images.exif(5)),
    images.animation("GIF"),
]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    cut=st.integers(0, 10_000),
    changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=6),
)
def test_damaged_content_is_rendered_or_refused_but_never_an_error(
    seed: bytes, cut: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(seed)
    for position, value in changes:
        data[position % len(data)] = value
    try:
        rendition = render(bytes(data[: max(cut, len(data) // 2)]), 64)
    except RejectedError:
        return
    assert max(opened(rendition.data).size) <= 64
