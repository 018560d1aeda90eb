"""The object that keeps the rejected records of one batch, each with its reason."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime


@dataclass(frozen=True)
class Rejected:
    """One rejected record.

    Attributes:
        code: Kind of the reason, ``missing-field``.
        reason: One sentence that names what is wrong.
        publisher: Who sent it.
        sequence: Its number in the stream.
        arrived: When it came, ISO 8601.
        data: The record, unchanged, in base64.
    """

    code: str
    reason: str
    publisher: str
    sequence: str
    arrived: str
    data: str

    @classmethod
    def of(cls, code: str, reason: str, *, raw: bytes, publisher: str, sequence: str, arrived: datetime) -> "Rejected":
        """Encode what is not text."""
        return cls(code, reason, publisher, sequence, arrived.isoformat(), base64.b64encode(raw).decode())


def document(records: list[Rejected]) -> bytes:
    """JSON lines."""
    return "".join(f"{json.dumps(asdict(record))}\n" for record in records).encode()


def key(prefix: str, records: list[Rejected]) -> str:
    """Where the document goes: by the hour of the first arrival, named by its records.

    Data Firehose gives a batch again when it did not hear from us; the same batch is then the same object.
    """
    name = hashlib.sha256("".join(f"{each.sequence}\n" for each in records).encode()).hexdigest()[:32]
    arrived = datetime.fromisoformat(records[0].arrived)
    return f"{prefix}{arrived:%Y/%m/%d/%H}/{name}.jsonl"
