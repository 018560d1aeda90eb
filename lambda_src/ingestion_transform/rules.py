"""What an event must be, and what becomes of it; pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

# AWS IoT takes no larger message, so what is larger did not come from a device (AWS IoT Core quotas, "Message broker").
MAX_BYTES: Final = 128 * 1024
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
# pydantic's kinds of error -> ours; what is not named here is a value out of its range.
_CODES: Final = {"json_invalid": "not-json", "missing": "missing-field", "extra_forbidden": "unknown-field"}


class Event(BaseModel):
    """A reading of a device, as it is sent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    # The names on the wire.
    eventId: _Name  # noqa: N815
    deviceId: _Name  # noqa: N815
    recordedAt: AwareDatetime  # noqa: N815
    temperature: Annotated[float, Field(ge=-100, le=200, allow_inf_nan=False)]
    humidity: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class RejectedError(ValueError):
    """The record is no event; the text says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Clock:
    """When a record arrived, and how far from that a device's clock may be."""

    arrived: datetime
    max_late: timedelta
    max_ahead: timedelta


def event_of(raw: bytes, publisher: str, clock: Clock) -> Event:
    """Read and check a record.

    Args:
        raw: The record.
        publisher: The stream's partition key. The topic rule takes it from the topic, where a device may write only
            under its own name: so it is who sent the record, whatever the record says.
        clock: When it arrived.

    Raises:
        RejectedError: The record is not an event, or not the publisher's.
    """
    if len(raw) > MAX_BYTES:
        raise RejectedError("too-large", f"record: must be at most {MAX_BYTES} bytes, got {len(raw)}")
    try:
        event = Event.model_validate_json(raw)
    except ValidationError as wrong:
        raise _rejected(wrong) from None
    if event.deviceId != publisher:
        raise RejectedError("wrong-device", f"deviceId: must be the publisher {publisher!r}, got {event.deviceId!r}")
    earliest, latest = clock.arrived - clock.max_late, clock.arrived + clock.max_ahead
    if not earliest <= event.recordedAt <= latest:
        raise RejectedError(
            "clock-off",
            f"recordedAt: must lie between {earliest.isoformat()} and {latest.isoformat()}, "
            f"got {event.recordedAt.isoformat()}",
        )
    return event


def row(event: Event, arrived: datetime) -> dict[str, str | float]:
    """The row of the table; times as Data Firehose's reader of JSON wants them: UTC without a zone."""
    return {
        "event_id": event.eventId,
        "device_id": event.deviceId,
        "recorded_at": _timestamp(event.recordedAt),
        "temperature": event.temperature,
        "humidity": event.humidity,
        "ingested_at": _timestamp(arrived),
    }


def partition(event: Event) -> dict[str, str]:
    """The partition: when it was recorded (UTC), so that late events and duplicates join those of their hour."""
    recorded = event.recordedAt.astimezone(UTC)
    return {"event_date": f"{recorded:%Y-%m-%d}", "event_hour": f"{recorded:%H}"}


def _rejected(wrong: ValidationError) -> RejectedError:
    first = wrong.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "record"
    code = _CODES.get(first["type"], "wrong-type" if first["type"].endswith("_type") else "out-of-range")
    got = "" if code in {"not-json", "missing-field"} else f", got {str(first['input'])[:80]!r}"
    return RejectedError(code, f"{field}: {first['msg'].strip()}{got}")


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
