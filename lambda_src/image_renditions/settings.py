"""What the function's environment says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from image_renditions.limits import Limits

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
REJECTED: Final = "rejected"


class SettingsError(ValueError):
    """A variable is missing or out of range; the text names it."""


@dataclass(frozen=True)
class Settings:
    """One rendition's settings.

    Attributes:
        rendition: ``RENDITION_NAME``: first part of the keys written, such as ``thumbnail``.
        edge: ``MAX_EDGE``: longest side in pixels, 1 to 2560.
        bucket: ``RENDITIONS_BUCKET``: where renditions and refusals are written; never the bucket of the uploads.
        quality: ``QUALITY`` of JPEG and WebP, 1 to 95, default 82.
        cache_control: ``CACHE_CONTROL`` header of renditions; none by default. A rendition's key stays the same when
            its source is uploaded again, so ``immutable`` is wrong here.
        limits: ``MAX_BYTES`` (default 40 MiB, at most 100 MiB) and ``MAX_PIXELS`` (default 50 million, at most 100
            million).
    """

    rendition: str
    edge: int
    bucket: str
    quality: int
    cache_control: str | None
    limits: Limits

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check the variables.

        Raises:
            SettingsError: Naming the variable, the rule and the value.
        """
        name = _required(environment, "RENDITION_NAME")
        if not _NAME.fullmatch(name) or name == REJECTED:
            raise SettingsError(
                f"RENDITION_NAME: must be 1 to 32 of a-z, 0-9 and '-', not starting with '-' and not {REJECTED!r}, "
                f"got {name!r}"
            )
        defaults = Limits()
        return cls(
            rendition=name,
            edge=_number(environment, "MAX_EDGE", 1, 2560),
            bucket=_required(environment, "RENDITIONS_BUCKET"),
            quality=_number(environment, "QUALITY", 1, 95, default=82),
            cache_control=environment.get("CACHE_CONTROL") or None,
            limits=Limits(
                max_bytes=_number(environment, "MAX_BYTES", 1, 100 * 1024 * 1024, default=defaults.max_bytes),
                max_pixels=_number(environment, "MAX_PIXELS", 1, 100_000_000, default=defaults.max_pixels),
            ),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name}: is missing; set it in the function's environment")
    return value


def _number(environment: Mapping[str, str], name: str, low: int, high: int, *, default: int | None = None) -> int:
    text = environment.get(name, "") if default is not None else _required(environment, name)
    if not text and default is not None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
        raise SettingsError(f"{name}: must be a whole number from {low} to {high}, got {text!r}")
    return int(text)
