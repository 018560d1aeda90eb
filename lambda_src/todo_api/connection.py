"""DynamoDB's operations, through the DAX cluster while it can be reached, and directly while it cannot."""

import importlib
import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

logger = Logger(child=True)

# How amazondax says that no node answered. Whatever else it says is DynamoDB's answer, or a mistake of ours to see.
_UNREACHABLE = {"NoRouteException", "ConnectionException", "EndOfStreamException"}
# Not asked again for so long: an invocation must not wait for a cluster that another has just missed.
_PAUSE_SECONDS = 30.0


class Connection:
    """Calls DynamoDB's operations by boto3's names and arguments.

    Args:
        dynamodb: boto3 client of DynamoDB.
        connect: Makes a client of the cluster, which has the same operations; None where there is no cluster.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, dynamodb: Any, connect: Callable[[], Any] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dynamodb = dynamodb
        self._connect = connect
        self._clock = clock
        self._cluster: Any = None
        self._not_before = float("-inf")

    def call(self, operation: str, /, **request: Any) -> dict[str, Any]:
        """Call an operation, ``get_item``.

        A write whose connection broke may have been done; it is sent again, so its condition must allow for that.

        Raises:
            ClientError: DynamoDB's refusal, also when it came through the cluster.
        """
        if self._connect and self._clock() >= self._not_before:
            try:
                self._cluster = self._cluster or self._connect()
                return dict(getattr(self._cluster, operation)(**request))
            except (ClientError, OSError) as error:
                if not _is_unreachable(error):
                    raise
                self._not_before = self._clock() + _PAUSE_SECONDS
                logger.warning("the cluster cannot be reached, DynamoDB is asked directly", reason=str(error))
        return dict(getattr(self._dynamodb, operation)(**request))


def dax(endpoint: str) -> Any:
    """A client of the cluster with this discovery endpoint, ``daxs://...`` for one with TLS."""
    # Imported where there is a cluster alone, since it takes a quarter of a second, and by name: it ships no types.
    amazondax: Any = importlib.import_module("amazondax")
    limits = Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 1})
    return amazondax.AmazonDaxClient(endpoint_url=endpoint, config=limits)


def _is_unreachable(error: Exception) -> bool:
    return isinstance(error, OSError) or (
        isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _UNREACHABLE
    )
