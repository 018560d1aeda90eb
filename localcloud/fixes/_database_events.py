"""What happens to a database, as DescribeEvents tells it."""

import time
from collections.abc import Callable
from typing import Any

from localcloud.internals import need

listeners: list[Callable[[dict[str, Any]], None]] = []
"""Who is told of every event."""


def record(instance: dict[str, Any], category: str, message: str) -> None:
    """Write an event of a DB instance down.

    Args:
        instance: the emulator's record.
        category: as in "Amazon RDS event categories and event messages" of the user guide.
        message: likewise.
    """
    rds = need("services.rds", "_events", "_shared_container_lock", "new_uuid")
    event = {
        "SourceIdentifier": instance["DBInstanceIdentifier"],
        "SourceType": "db-instance",
        "SourceArn": instance["DBInstanceArn"],
        "Message": message,
        "Date": time.time(),
        "EventCategories": [category],
    }
    with rds._shared_container_lock:
        rds._events[rds.new_uuid()] = event
    for tell in listeners:
        tell(event)
