"""Pictures in, renditions out: sizes, colours, orientation, alpha, and nothing but the picture."""

from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from image_renditions.rules import render, render_many
from tests import images
from tests.images import BLUE, GREEN, RED, YELLOW, opened

Colour = tuple[int, ...]


def quarters(picture: Image.Image) -> list[Colour]:
    width, height = picture.size
    spots = [(width // 4, height // 4), (width * 3 // 4, height // 4)]
    spots += [(x, height * 3 // 4) for x, _ in spots]
    found = [picture.convert("RGBA").getpixel(spot) for spot in spots]
    return [colour for colour in found if isinstance(colour, tuple)]


def assert_corners(picture: Image.Image, expected: tuple[Colour, ...] = (RED, GREEN, BLUE, YELLOW)) -> None:
    for name, found, colour in zip(images.CORNERS, quarters(picture), expected, strict=True):
        distance = max(abs(a - b) for a, b in zip(found, colour, strict=False))
        assert distance <= 14, f"{name}: {found} instead of {colour}"


FORMATS: dict[str, bytes] = {
    "jpeg": images.jpeg(),
    "progressive jpeg": images.jpeg(progressive=True),
    "cmyk jpeg": images.encode(images.corners(mode="CMYK"), "JPEG", quality=95),
    "png": images.encode(images.corners(), "PNG"),
    "palette png": images.encode(images.corners(mode="P"), "PNG"),
    "webp": images.encode(images.corners(), "WEBP", quality=95),
    "lossless webp": images.encode(images.corners(), "WEBP", lossless=True),
    "gif": images.encode(images.corners(), "GIF"),
    "opaque alpha png": images.encode(images.corners(mode="RGBA"), "PNG"),
    "trailing garbage": images.jpeg() + b"<script>" * 100,
    "profile that is no profile": images.jpeg(icc_profile=b"not a profile" * 20),
    "damaged exif": images.jpeg(exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"),
    "exif that is no exif": images.jpeg(exif=b"Exif\0\0 no TIFF header"),
}


@pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)
def test_every_format_becomes_an_srgb_jpeg(data: bytes) -> None:
    rendition = render(data, 256)
    picture = opened(rendition.data)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (256, 192))
    assert (rendition.width, rendition.height, rendition.extension) == (256, 192, ".jpg")
    assert rendition.content_type == "image/jpeg"
    assert_corners(picture)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_the_exif_orientation_is_applied(orientation: int, format_: str) -> None:
    picture = opened(render(images.oriented(orientation, format_), 256).data)
    assert picture.size == (256, 192)
    assert_corners(picture)


def test_the_pictures_of_the_orientation_test_do_differ() -> None:
    stored = {tuple(quarters(opened(images.oriented(n, "PNG")))) for n in range(1, 9)}
    assert len(stored) == 8


@pytest.mark.parametrize("profile", [b"", images.red_green_swapped_profile()], ids=["no profile", "profile"])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_survives(format_: str, profile: bytes) -> None:
    secret = b"PrivateSecret"
    options: dict[str, Any] = {"exif": images.exif(6), "icc_profile": profile}
    if format_ != "PNG":
        options["xmp"] = b"<x:xmpmeta>" + secret
    if format_ == "JPEG":
        options["comment"] = secret
    source = images.encode(images.corners(), format_, **options)
    assert b"PrivateCamera" in source
    rendition = render(source, 256)
    picture = opened(rendition.data)
    assert not picture.getexif()
    assert not {"exif", "xmp", "comment", "icc_profile"} & set(picture.info)
    assert not any(word in rendition.data for word in (b"Private", b"Exif", b"xmpmeta", b"ICC_PROFILE"))


def test_metadata_does_not_survive_beside_alpha_either() -> None:
    source = images.encode(images.with_alpha(), "PNG", exif=images.exif(3), icc_profile=images.cmyk_profile())
    rendition = render(source, 256)
    assert rendition.format == "WEBP"
    assert not any(word in rendition.data for word in (b"Private", b"EXIF", b"ICCP", b"XMP "))


@pytest.mark.parametrize(
    ("mode", "format_"), [("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "WEBP"), ("RGBA", "GIF")]
)
def test_transparent_pixels_stay_transparent(mode: str, format_: str) -> None:
    rendition = render(images.encode(images.with_alpha(mode), format_), 256)
    picture = opened(rendition.data)
    assert (picture.format, picture.mode, picture.size) == ("WEBP", "RGBA", (256, 192))
    assert (rendition.extension, rendition.content_type) == (".webp", "image/webp")
    alphas = [colour[3] for colour in quarters(picture)]
    assert alphas == [0, 255, 0, 255]
    if mode != "LA":
        assert max(abs(a - b) for a, b in zip(quarters(picture)[1], GREEN, strict=False)) <= 14


def test_one_transparent_colour_is_transparency_too() -> None:
    source = images.encode(images.corners(), "PNG", transparency=RED)
    assert [colour[3] for colour in quarters(opened(render(source, 256).data))] == [0, 255, 255, 255]


def test_transparent_edges_do_not_bleed_their_hidden_colour() -> None:
    picture = Image.new("RGBA", (400, 400), (255, 255, 255, 255))
    picture.paste((255, 0, 0, 0), (0, 0, 200, 400))  # red that nobody may see
    small = opened(render(images.encode(picture, "PNG"), 64).data).convert("RGBA")
    row = [small.getpixel((x, 32)) for x in range(64)]
    visible = [pixel for pixel in row if isinstance(pixel, tuple) and pixel[3] > 40]
    assert visible
    assert min(pixel[1] for pixel in visible) > 200


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(format_: str) -> None:
    picture = opened(render(images.animation(format_), 64).data)
    assert getattr(picture, "n_frames", 1) == 1
    assert_corners(picture, (RED, RED, RED, RED))


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (32768, 128), (65535, 255)])
@pytest.mark.parametrize("side", [40, 400])
def test_16_bit_greys_keep_their_brightness(level: int, expected: int, side: int) -> None:
    picture = opened(render(images.encode(Image.new("I;16", (side, side), level), "PNG"), 64).data)
    assert picture.mode == "L"
    assert picture.getpixel((5, 5)) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(("colour_type", "depth"), [(0, 1), (0, 16), (2, 16), (3, 8), (4, 8), (4, 16), (6, 16)])
def test_every_kind_of_png_is_read(colour_type: int, depth: int) -> None:
    assert render(images.png(300, 200, colour_type=colour_type, depth=depth), 64).width == 64


def test_a_colour_profile_is_converted_to_srgb() -> None:
    for format_ in ("JPEG", "PNG", "WEBP"):
        source = images.encode(images.corners(), format_, icc_profile=images.red_green_swapped_profile())
        red, green, *_ = quarters(opened(render(source, 256).data))
        assert red[1] > 180, f"{format_}: what the file calls red is green on this display, not {red}"
        assert red[0] < 60
        assert green[0] > 180
        assert green[1] < 60


def test_the_profile_of_a_press_decides_about_cmyk() -> None:
    source = images.encode(images.corners(mode="CMYK"), "JPEG", icc_profile=images.cmyk_profile())
    found = quarters(opened(render(source, 256).data))
    assert len(set(found)) == 1, "this press prints everything in one colour"
    red, green, *_ = found[0]
    assert green > red + 40


def test_a_profile_for_another_colour_space_is_ignored() -> None:
    assert_corners(opened(render(images.jpeg(icc_profile=images.cmyk_profile()), 256).data))


def test_many_renditions_come_from_one_decoding_in_the_order_asked_for() -> None:
    source = images.oriented(6, size=(1000, 700))
    many = render_many(source, [64, 800, 2000, 256, 64])
    assert [rendition.width for rendition in many] == [64, 800, 1000, 256, 64]
    for rendition in many:
        assert_corners(opened(rendition.data))
        alone = render(source, max(rendition.width, rendition.height))
        assert (alone.width, alone.height) == (rendition.width, rendition.height)


@pytest.mark.parametrize("edge", [256, 800])
def test_the_quick_way_looks_like_the_plain_one(edge: int) -> None:
    source = images.encode(images.photo(2000, 1500), "JPEG", quality=90)
    quick = opened(render(source, edge, quality=90).data)
    full = opened(source)

    def difference(resample: Image.Resampling) -> float:
        plain = opened(images.encode(full.resize(quick.size, resample), "JPEG", quality=90))
        return max(ImageStat.Stat(ImageChops.difference(quick, plain)).rms)

    assert difference(Image.Resampling.LANCZOS) < 5  # of 255
    assert difference(Image.Resampling.NEAREST) > 6, "the measure must see a poor filter"


def test_the_quality_makes_the_size() -> None:
    source = images.encode(images.photo(800, 600), "JPEG")
    assert len(render(source, 400, quality=40).data) < len(render(source, 400, quality=90).data)


def test_the_same_upload_gives_the_same_bytes() -> None:
    assert render(images.jpeg(), 256).data == render(images.jpeg(), 256).data


@pytest.mark.parametrize("edges", [[], [0], [256, -1]])
def test_an_edge_must_be_positive(edges: list[int]) -> None:
    with pytest.raises(ValueError, match="edges: each must be at least 1 pixel"):
        render_many(images.jpeg(), edges)
