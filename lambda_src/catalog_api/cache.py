"""Products in memory, beside the table: asked first, trusted never to be there."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools import Logger
from pydantic import ValidationError
from redis import Redis
from redis.backoff import EqualJitterBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from catalog_api.rules import Product
from catalog_api.tokens import IamToken

logger = Logger(child=True)

State = Literal["hit", "miss", "error", "bypass"]

# Part of each key: another form of what is kept begins with an empty cache, beside the old one while both run.
_VERSION = 1
_CHANGED = "changed"
# Longer than an invocation takes from reading the table to keeping what it read.
_CHANGED_SECONDS = 10
# Not asked again for so long: an invocation must not wait for a cache that another has just missed.
_PAUSE_SECONDS = 5.0
_MOST_OWED = 1000
# ElastiCache ends a connection 12 hours after IAM let it in. Source: its user guide, "Authenticating with IAM".
_CONNECTION_SECONDS = 11 * 3600.0


@dataclass(frozen=True)
class Looked:
    """What the cache says: a hit without a product means that there is none."""

    state: State
    product: Product | None = None


class Cache:
    """Kept products by SKU. Whatever is wrong with the cache is logged and answered as a state, never raised.

    A change does not delete what is kept but marks it as changed for some seconds. Nothing is kept over that mark, so
    an invocation that read the table just before the change cannot put the old product back after it.

    A mark that could not be made is made before the cache is asked again. Another environment of the function does not
    know of it: what was changed while the cache was away may be old there for as long as products are kept.

    Args:
        connect: Makes a client.
        seconds: How long a product is kept, give or take a tenth, so that what was kept together does not end together.
        unknown_seconds: How long it is kept that there is no such product.
        clock: Seconds that only go forward.
        jitter: A number between 0.9 and 1.1.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        seconds: int,
        unknown_seconds: int,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = lambda: random.uniform(0.9, 1.1),  # noqa: S311 (no secret)
    ) -> None:
        self._connect = connect
        self._seconds = seconds
        self._unknown_seconds = unknown_seconds
        self._clock = clock
        self._jitter = jitter
        self._client: Any = None
        self._renew_at = float("-inf")
        self._not_before = float("-inf")
        self._owed: dict[str, None] = {}

    def get(self, sku: str) -> Looked:
        """What is kept."""
        while self._owed and self.changed(next(iter(self._owed))) == "hit":
            pass
        state, text = self._call("get", _key(sku))
        if state != "hit":
            return Looked(state)
        if text in (None, _CHANGED):
            return Looked("miss")
        try:
            kept = json.loads(text)
            return Looked("hit", Product.model_validate(kept) if kept is not None else None)
        except (ValueError, ValidationError):
            # Not ours: it is replaced by what the table says as soon as it ends.
            logger.warning("something else is kept for a product", sku=sku)
            return Looked("miss")

    def keep(self, sku: str, product: Product | None) -> State:
        """Keep what the table said, unless it was changed meanwhile or somebody else kept it."""
        seconds = self._seconds if product else self._unknown_seconds
        text = product.model_dump_json() if product else "null"
        return self._call("set", _key(sku), text, nx=True, ex=max(1, round(seconds * self._jitter())))[0]

    def changed(self, sku: str) -> State:
        """Say that the table has something else now."""
        state = self._call("set", _key(sku), _CHANGED, ex=_CHANGED_SECONDS)[0]
        if state == "hit":
            self._owed.pop(sku, None)
        elif len(self._owed) < _MOST_OWED:
            self._owed[sku] = None
        return state

    def _call(self, operation: str, /, *args: Any, **options: Any) -> tuple[State, Any]:
        if self._clock() < self._not_before:
            return "bypass", None
        try:
            return "hit", getattr(self._connected(), operation)(*args, **options)
        except (RedisError, OSError) as error:
            self._not_before = self._clock() + _PAUSE_SECONDS
            logger.warning("the cache cannot be used, the table is asked", reason=f"{type(error).__name__}: {error}")
            return "error", None

    def _connected(self) -> Any:
        if self._clock() >= self._renew_at:
            if self._client:
                self._client.close()
            self._client = self._connect()
            self._renew_at = self._clock() + _CONNECTION_SECONDS
        return self._client


def redis(host: str, port: int, token: IamToken) -> "Redis":
    """A client of a serverless cache: one endpoint in front of all shards, TLS always; nothing is sent yet.

    A call waits for 200 ms, is tried once more after 20-40 ms, so that not all come back at the same moment, and costs
    about half a second then.
    """
    return Redis(
        host=host,
        port=port,
        ssl=True,
        credential_provider=token,
        socket_timeout=0.2,
        socket_connect_timeout=0.2,
        retry=Retry(EqualJitterBackoff(cap=0.04, base=0.02), 1),
        decode_responses=True,
        max_connections=1,
        protocol=2,
        # Its access string allows what this module calls, and nothing to say about the client.
        driver_info=None,
    )


def _key(sku: str) -> str:
    return f"product:v{_VERSION}:{sku}"
