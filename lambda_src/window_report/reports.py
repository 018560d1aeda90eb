"""Writes the report of an hour so that the newest answer stays, whoever else writes at the same time."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from window_report.athena import Athena
from window_report.rules import Window, query, report_key
from window_report.settings import Settings


class OvertakenError(RuntimeError):
    """Somebody wrote the report while this one was being made; it must be made again."""


class Reports:
    """The reports of one batch of messages: each hour is asked about once.

    All messages of a batch tell of objects that are there already, so one answer serves them all.

    Args:
        settings: Names.
        s3: boto3 client of S3.
        athena: Runs queries.
        seconds_left: How long the function may still run.
    """

    def __init__(self, settings: Settings, s3: Any, athena: Athena, seconds_left: Callable[[], float]) -> None:
        self._settings = settings
        self._s3 = s3
        self._athena = athena
        self._seconds_left = seconds_left
        self._done: dict[Window, str] = {}

    def refresh(self, window: Window) -> str:
        """Report on an hour as it is now.

        Two functions may report on the same hour. The one whose query began earlier may know less, so a report only
        replaces the one that was there when its query began.

        Returns:
            The report's key.

        Raises:
            OvertakenError: The report has been replaced meanwhile.
            QueryError: Athena did not answer.
        """
        if window not in self._done:
            key = report_key(window)
            seen = self._etag(key)
            settings = self._settings
            asked = query(window, database=settings.database, table=settings.table)
            bucket, result = self._athena.run(asked, within=max(self._seconds_left() - 5, 1))
            answer = self._s3.get_object(Bucket=bucket, Key=result)["Body"].read()
            self._replace(key, answer, seen)
            self._done[window] = key
        return self._done[window]

    def _etag(self, key: str) -> str | None:
        try:
            found: str = self._s3.head_object(Bucket=self._settings.reports_bucket, Key=key)["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise
        return found

    def _replace(self, key: str, answer: bytes, seen: str | None) -> None:
        condition = {"IfMatch": seen} if seen else {"IfNoneMatch": "*"}
        try:
            self._s3.put_object(
                Bucket=self._settings.reports_bucket, Key=key, Body=answer, ContentType="text/csv", **condition
            )
        except ClientError as error:
            # 409: another conditional write to the key is on its way.
            if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                raise OvertakenError(f"{key}: was replaced while it was being made; it is made again") from error
            raise
