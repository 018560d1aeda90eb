"""Sends what servers print to their log groups, as the awslogs driver and the CloudWatch agent do: under a role."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

BATCH_SECONDS = 0.5
_MOST, _LONGEST = 1000, 200_000
"""Events and bytes in one call; PutLogEvents takes ten times as many events, and a mebibyte."""


@dataclass
class _Followed:
    """A file that grows."""

    file: Path
    client: Any
    group: str
    stream: str
    read: int = 0
    refused: str = ""
    open: bool = field(default=False)


class LogSender:
    """Follows files and sends new whole lines, in a thread of its own."""

    def __init__(self) -> None:
        self._followed: list[_Followed] = []
        self._over = threading.Event()
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._send_forever, name="server-logs", daemon=True)
        self._thread.start()

    def follow(self, file: Path, client: Any, group: str, stream: str) -> None:
        """Send the lines of a file from now on.

        Args:
            file: may not be there yet.
            client: of CloudWatch Logs, under the role that writes.
            group: the log group's name.
            stream: the log stream's; it is made.
        """
        self._followed.append(_Followed(file, client, group, stream))

    def refusals(self) -> list[str]:
        """Why something could not be sent."""
        return [one.refused for one in self._followed if one.refused]

    def close(self) -> None:
        """Send what is left, and end."""
        self._over.set()
        self._thread.join()

    def _send_forever(self) -> None:
        while not self._over.wait(BATCH_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        for one in self._followed:
            try:
                while lines := _new_lines(one):
                    self._put(one, lines)
            except (BotoCoreError, ClientError) as error:
                one.refused = str(error)

    def _put(self, one: _Followed, lines: list[str]) -> None:
        if not one.open:
            one.open = True
            one.client.create_log_stream(logGroupName=one.group, logStreamName=one.stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        one.client.put_log_events(logGroupName=one.group, logStreamName=one.stream, logEvents=events)


def _new_lines(one: _Followed) -> list[str]:
    if not one.file.exists():
        return []
    with one.file.open("rb") as file:
        file.seek(one.read)
        data = file.read(_LONGEST)
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.split(b"\n")[:-1][:_MOST]
    one.read += sum(len(line) + 1 for line in lines)
    return [line.decode("utf-8", errors="replace") for line in lines if line.strip()]
