"""Which hour an object belongs to, what is asked about it and where the answer is kept; pure."""

import re
from dataclasses import dataclass
from datetime import date

# Data Firehose may put the date of delivery below the partition (developer guide, "Custom prefixes for S3 objects").
_KEY = re.compile(r"(?:.*/)?event_date=([0-9]{4}-[0-9]{2}-[0-9]{2})/event_hour=([01][0-9]|2[0-3])/.+")
# What may stand in a query between double quotes without saying anything else.
_NAME = re.compile(r"[a-z0-9_-]{1,255}")


@dataclass(frozen=True)
class Window:
    """One hour, UTC, by when its events were recorded.

    Attributes:
        day: ``2026-11-21``.
        hour: ``00`` to ``23``.
    """

    day: str
    hour: str


def window_of(key: str) -> Window:
    """The hour of an object of events.

    Raises:
        ValueError: The key is in no hour's partition.
    """
    found = _KEY.fullmatch(key)
    if not found:
        raise ValueError(f"key: must lie in event_date=YYYY-MM-DD/event_hour=HH/, got {key!r}")
    day, hour = found.groups()
    try:
        date.fromisoformat(day)
    except ValueError as wrong:
        raise ValueError(f"key: event_date must be a day of the calendar, got {day!r}: {wrong}") from wrong
    return Window(day, hour)


def query(window: Window, *, database: str, table: str) -> str:
    """Count, sum, mean and extremes per device, each event once; one partition is scanned.

    Streams deliver at least once, so an event may be there several times, also in different objects. It is told by
    its id and its device (an id is the device's own choice, and must not hide another device's event); of several the
    one that arrived first counts. The rows are in order, so the same events give the same bytes.

    Raises:
        ValueError: A name is none of Glue's.
    """
    for prop, name in (("database", database), ("table", table)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{prop}: must be 1 to 255 of a-z, 0-9, '_' and '-', got {name!r}")
    # No user's text is in it: the names are the stack's, day and hour were read by `window_of`.
    return f"""
SELECT '{window.day}' AS event_date,
       '{window.hour}' AS event_hour,
       device_id,
       count(*) AS events,
       sum(temperature) AS temperature_sum,
       avg(temperature) AS temperature_avg,
       min(temperature) AS temperature_min,
       max(temperature) AS temperature_max,
       avg(humidity) AS humidity_avg
FROM (
    SELECT device_id, temperature, humidity, row_number() OVER (
        PARTITION BY device_id, event_id ORDER BY ingested_at, recorded_at, temperature, humidity
    ) AS nth
    FROM "{database}"."{table}"
    WHERE event_date = '{window.day}' AND event_hour = '{window.hour}'
) AS events
WHERE nth = 1
GROUP BY device_id
ORDER BY device_id
""".strip()  # noqa: S608


def report_key(window: Window) -> str:
    """One key per hour: whoever reports on it again writes there again."""
    return f"reports/event_date={window.day}/event_hour={window.hour}/report.csv"
