"""Sells a video: charged once, however often and from however many sides it is asked."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from paid_content_api.problems import ProblemError
from paid_content_api.rules import Video, moment, unknown_video
from paid_content_api.settings import Settings
from paid_content_api.store import BusyError, Store

_DAY = 24 * 3600
# Shorter than the shortest purchase, so that an answer is never remembered for longer than it is true.
_REMEMBER_SECONDS = _DAY


class Shop:
    """Sells videos.

    Args:
        settings: The idempotency table, and how long a purchase lasts.
        store: The other tables.
        dynamodb: boto3 client of DynamoDB.
        clock: Seconds since 1970.
    """

    def __init__(
        self, settings: Settings, store: Store, dynamodb: Any, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._lasts = settings.premium_days * _DAY
        self._clock = clock
        self._config = IdempotencyConfig(
            event_key_jmespath="[user, token]",
            # The same key for another video is no repetition but a mistake, which Powertools refuses.
            payload_validation_jmespath="video",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=_REMEMBER_SECONDS,
        )
        self._once: Callable[..., dict[str, Any]] = idempotent_function(
            self._sell,
            data_keyword_argument="order",
            config=self._config,
            persistence_store=DynamoDBPersistenceLayer(settings.idempotency_table, boto3_client=dynamodb),
        )

    def remember(self, context: LambdaContext) -> None:
        """Tell the idempotency record how long this invocation can last."""
        self._config.register_lambda_context(context)

    def sell(self, user: str, video: Video, key: str | None) -> dict[str, Any]:
        """Sell a video; the same answer again when it was sold already.

        Args:
            user: The buyer.
            video: The video.
            key: The caller's Idempotency-Key; None: user and video are the key.

        Raises:
            ProblemError: The key belongs to another purchase (422), or one is on its way (409).
        """
        order = {"user": user, "video": video.id, "token": f"key:{key}" if key else f"video:{video.id}"}
        again = {"Retry-After": "1"}
        try:
            return self._once(order=order)
        except IdempotencyValidationError:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"Idempotency-Key: {key!r} belongs to another purchase; use a new one"
            ) from None
        except (IdempotencyAlreadyInProgressError, BusyError):
            raise ProblemError(
                HTTPStatus.CONFLICT, "this purchase is being worked on; ask again with the same key", headers=again
            ) from None

    def _sell(self, order: dict[str, Any]) -> dict[str, Any]:
        video = self._store.video(order["video"])
        if video is None:
            raise unknown_video(order["video"])
        now = int(self._clock())
        bought = self._store.buy(order["user"], video, now=now, until=now + self._lasts)
        purchase = bought or self._store.purchase(order["user"], video.id)
        if purchase is None:
            raise BusyError(video.id)
        return {
            "videoId": video.id,
            "expiresAt": moment(purchase.expires_at),
            "chargeId": purchase.charge_id,
            "charged": bought is not None,
            "amount": video.price,
            "currency": video.currency,
        }
