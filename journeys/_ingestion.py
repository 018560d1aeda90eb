"""What the journey of the ingestion sends, and what must come of it, worked out in plain Python."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, float]
KEYS = ("event_date", "event_hour", "device_id")
Answer = dict[str, Row]
"""Device -> column -> value."""


@dataclass(frozen=True)
class Window:
    """An hour that events were recorded in."""

    start: datetime

    @property
    def partition(self) -> str:
        """As in keys."""
        return f"event_date={self.start:%Y-%m-%d}/event_hour={self.start:%H}"

    @property
    def report_key(self) -> str:
        """Of its report."""
        return f"reports/{self.partition}/report.csv"

    @property
    def condition(self) -> str:
        """In SQL."""
        return f"event_date = '{self.start:%Y-%m-%d}' AND event_hour = '{self.start:%H}'"


def windows(now: datetime) -> list[Window]:
    """Two hours that are over, so that none begins while the journey runs."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [Window(hour - timedelta(hours=back)) for back in (3, 2)]


@dataclass(frozen=True)
class Event:
    """A reading."""

    device: str
    id: str
    recorded: datetime
    temperature: float
    humidity: float

    @property
    def data(self) -> bytes:
        """As it is sent."""
        return json.dumps(
            {
                "eventId": self.id,
                "deviceId": self.device,
                "recordedAt": self.recorded.isoformat(),
                "temperature": self.temperature,
                "humidity": self.humidity,
            }
        ).encode()


def readings(device: str, number: int, windows: list[Window], *, kind: str = "e") -> list[Event]:
    """As many readings, turn by turn in each window, in quarters of a degree: their sums are exact in any order."""
    chance = random.Random(f"{device}{kind}")  # noqa: S311 - readings, not secrets
    return [
        Event(
            device,
            f"{kind}{index}",
            windows[index % len(windows)].start + timedelta(seconds=chance.randrange(3600)),
            chance.randrange(-80, 160) / 4,
            chance.randrange(0, 400) / 4,
        )
        for index in range(number)
    ]


def answers(events: Iterable[Event], window: Window) -> Answer:
    """What the report of a window must say: each event once, per device."""
    devices: dict[str, dict[str, Event]] = defaultdict(dict)
    for event in events:
        if window.start <= event.recorded < window.start + timedelta(hours=1):
            devices[event.device].setdefault(event.id, event)
    made: Answer = {}
    for device, by_id in devices.items():
        temperatures = [event.temperature for event in by_id.values()]
        made[device] = {
            "events": len(temperatures),
            "temperature_sum": sum(temperatures),
            "temperature_avg": sum(temperatures) / len(temperatures),
            "temperature_min": min(temperatures),
            "temperature_max": max(temperatures),
            "humidity_avg": sum(event.humidity for event in by_id.values()) / len(by_id),
        }
    return made


def read_report(text: str, token: str) -> Answer:
    """The rows of this run's devices in a report."""
    rows = csv.DictReader(io.StringIO(text))
    return {
        row["device_id"]: {name: float(value) for name, value in row.items() if name not in KEYS}
        for row in rows
        if row["device_id"].startswith(token)
    }


def same(found: Answer, expected: Answer) -> bool:
    """Equal, but for the last digits of a mean."""
    return found.keys() == expected.keys() and all(
        found[device].keys() == row.keys() and all(abs(found[device][name] - row[name]) < 1e-9 for name in row)
        for device, row in expected.items()
    )


def bad_records(device: str, now: datetime) -> dict[str, tuple[str, bytes]]:
    """What no event is: name -> (code of the reason it must be found with, record)."""
    good: dict[str, Any] = json.loads(Event(device, "bad", now, 20.0, 50.0).data)
    missing = {name: value for name, value in good.items() if name != "humidity"}
    wrong: dict[str, dict[str, Any]] = {
        "wrong type": good | {"temperature": "warm"},
        "out of range": good | {"humidity": 101},
        "unknown field": good | {"colour": "red"},
        "clock far ahead": good | {"recordedAt": (now + timedelta(days=400)).isoformat()},
        "clock far behind": good | {"recordedAt": "1970-01-01T00:00:00Z"},
        "another's name": good | {"deviceId": "somebody-else"},
    }
    codes = ("wrong-type", "out-of-range", "unknown-field", "clock-off", "clock-off", "wrong-device")
    found = {name: (code, json.dumps(body).encode()) for (name, body), code in zip(wrong.items(), codes, strict=True)}
    return found | {
        "not JSON": ("not-json", b'{"eventId": "x", '),
        "not text": ("not-json", b"\xff\xfe\x00"),
        "missing field": ("missing-field", json.dumps(missing).encode()),
        "2 MB": ("too-large", b"x" * 2_000_000),
    }
