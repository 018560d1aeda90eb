"""Data Firehose collects the records of a Kinesis stream and delivers them together, away from the producer.

Without this fix the emulator delivers each record by itself, as an object of its own, while the producer waits; the
transform is not told who put a record into the stream; and a transform that fails lets every record pass as it came.
With it a buffer ends after some seconds, whatever the hints say (a minute at least on AWS), or at 5 MB; what a
transform fails at goes to the error prefix; and the delivery stream's roles are asked.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from localcloud.fixes._firehose_delivery import Delivery, DeniedError, Record
from localcloud.internals import need

SECONDS = 2.0
LARGEST = 5_000_000
logger = logging.getLogger("firehose")


@dataclass
class Buffer:
    """What one delivery stream has collected, and of whom it is: (account, region)."""

    stream: dict[str, Any]
    scope: tuple[str, str]
    records: list[Record] = field(default_factory=list)
    since: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether it is time to deliver."""
        if not self.records:
            return False
        return time.monotonic() - self.since >= SECONDS or sum(len(each.data) for each in self.records) >= LARGEST


class Buffers:
    """All buffers; producers add, one thread delivers."""

    def __init__(self) -> None:
        self._by_stream: dict[str, Buffer] = {}
        self._lock = threading.Lock()

    def add(self, stream: dict[str, Any], scope: tuple[str, str], records: list[Record]) -> None:
        """Collect."""
        with self._lock:
            buffer = self._by_stream.setdefault(stream["arn"], Buffer(stream, scope))
            if not buffer.records:
                buffer.since = time.monotonic()
            buffer.records += records

    def deliver_forever(self) -> None:
        """Deliver each buffer when it is full; what may not be delivered is tried again."""
        while True:
            for buffer, records in self._taken():
                try:
                    _deliver(buffer, records)
                except DeniedError as denied:
                    logger.warning("Firehose %s: %s", buffer.stream["name"], denied)
                    with self._lock:
                        buffer.records[:0] = records
                        buffer.since = time.monotonic()
                except Exception:
                    # One delivery that fails must not end those of the other streams.
                    logger.exception("Firehose %s: delivery failed", buffer.stream["name"])
            time.sleep(0.1)

    def _taken(self) -> list[tuple[Buffer, list[Record]]]:
        with self._lock:
            full = [(buffer, buffer.records) for buffer in self._by_stream.values() if buffer.is_full]
            for buffer, _records in full:
                buffer.records = []
            return full


def apply() -> None:
    """Take the place of the emulator's ingestion from Kinesis."""
    firehose = need(
        "services.firehose", "ingest_from_kinesis_source", "_streams", "_record_id", "get_account_id", "get_region"
    )
    buffers = Buffers()

    def ingest(source_arn: str, records: list[tuple[str, bytes]]) -> None:
        now, scope = time.time(), (firehose.get_account_id(), firehose.get_region())
        for stream in list(firehose._streams.values()):
            if (stream.get("kinesis_source") or {}).get("KinesisStreamARN") == source_arn:
                buffers.add(stream, scope, [Record(firehose._record_id(), raw, key, now) for key, raw in records])

    vars(firehose)["ingest_from_kinesis_source"] = ingest
    threading.Thread(target=buffers.deliver_forever, name="firehose-buffers", daemon=True).start()


def _deliver(buffer: Buffer, records: list[Record]) -> None:
    scope = need("core.responses", "request_scope").request_scope
    # What AWS's services do for themselves comes over TLS, though no request brought it here.
    need("core.iam_evaluator", "pin_request_origin").pin_request_origin("127.0.0.1", True)
    with scope(*buffer.scope):
        for destination in buffer.stream["destinations"]:
            Delivery(buffer.stream, destination["config"]).run(records)
