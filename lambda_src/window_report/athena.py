"""Runs a query in Athena and waits for it."""

import time
from collections.abc import Callable
from typing import Any, Final

_POLL_SECONDS: Final = 0.3
_MAX_POLL_SECONDS: Final = 3.0


class QueryError(RuntimeError):
    """The query did not succeed; the text says what Athena said."""


class Athena:
    """Queries of one workgroup.

    Args:
        client: boto3 client of Athena.
        workgroup: Its name; it says where results go.
        clock: Seconds that never go back.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        client: Any,
        workgroup: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._workgroup = workgroup
        self._clock = clock
        self._sleep = sleep

    def run(self, query: str, *, within: float) -> tuple[str, str]:
        """Run a query to its end.

        Args:
            query: One statement.
            within: Seconds; after them the query is stopped.

        Returns:
            Bucket and key of the result (CSV).

        Raises:
            QueryError: It failed, was cancelled (as when it scans more than the workgroup allows) or took too long.
        """
        until = self._clock() + within
        name = self._client.start_query_execution(QueryString=query, WorkGroup=self._workgroup)["QueryExecutionId"]
        pause = _POLL_SECONDS
        while True:
            found = self._client.get_query_execution(QueryExecutionId=name)["QueryExecution"]
            state = found["Status"]["State"]
            if state == "SUCCEEDED":
                bucket, _, key = found["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
                return bucket, key
            if state in {"FAILED", "CANCELLED"}:
                why = found["Status"].get("StateChangeReason") or "Athena gave no reason"
                raise QueryError(f"query {name} {state.lower()}: {why}")
            if self._clock() >= until:
                self._client.stop_query_execution(QueryExecutionId=name)
                raise QueryError(f"query {name} was stopped: it took longer than {within:g} seconds")
            self._sleep(min(pause, max(until - self._clock(), 0.0)))
            pause = min(pause * 1.5, _MAX_POLL_SECONDS)
