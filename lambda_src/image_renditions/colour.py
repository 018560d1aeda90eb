"""Colours: whatever the picture's mode and profile, on to sRGB."""

import io
import logging
from typing import Final

from PIL import Image, ImageCms

_log = logging.getLogger(__name__)
_SRGB: Final = ImageCms.createProfile("sRGB")


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB: mode L or RGB, or RGBA when a pixel is really transparent.

    A profile that is damaged or is for another colour space is ignored, as browsers do: the picture is then taken for
    sRGB, or converted from CMYK by formula. Runs on the reduced picture, so it costs little.
    """
    alpha = _used_alpha(picture)
    colours = picture
    if picture.mode == "I;16":
        colours = picture.point(lambda value: value * (1 / 256)).convert("L")
    elif picture.mode in {"LA", "RGBA", "P", "PA", "1"}:
        colours = picture.convert("L" if picture.mode in {"LA", "1"} else "RGB")
    if profile:
        colours = _through_profile(colours, profile)
    if colours.mode not in {"L", "RGB"}:
        colours = colours.convert("RGB")
    if alpha:
        colours = colours.convert("RGB")
        colours.putalpha(alpha)
    return colours


def _used_alpha(picture: Image.Image) -> Image.Image | None:
    if picture.mode not in {"LA", "RGBA"}:
        return None
    alpha = picture.getchannel("A")
    return alpha if alpha.getextrema() != (255, 255) else None


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        _log.info("colour profile ignored: %s", type(error).__name__)
        return picture
    return picture if converted is None else converted
