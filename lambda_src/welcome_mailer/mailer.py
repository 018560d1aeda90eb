"""Sends a welcome: once for each stream record of each subscriber, whatever is delivered again."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from welcome_mailer import rules
from welcome_mailer.settings import Settings

# Longer than a stream keeps its records: a day.
_REMEMBER_SECONDS = 2 * 24 * 3600


class Mailer:
    """Welcomes subscribers.

    SES has no idempotency token. So a crash of the function between SES's answer and the record of it, a matter of
    milliseconds, is the one case in which a redelivered record is mailed again; every other redelivery is not.

    Args:
        settings: Sender, site and the idempotency table's name.
        dynamodb: boto3 client of DynamoDB.
        ses: boto3 client of SES (v2).
    """

    def __init__(self, settings: Settings, dynamodb: Any, ses: Any) -> None:
        self._settings = settings
        self._ses = ses
        self._config = IdempotencyConfig(
            event_key_jmespath="[key, event_id]",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=_REMEMBER_SECONDS,
        )
        self._once: Callable[..., None] = idempotent_function(
            self._send,
            data_keyword_argument="subscriber",
            config=self._config,
            persistence_store=DynamoDBPersistenceLayer(settings.idempotency_table, boto3_client=dynamodb),
        )

    def remember(self, context: LambdaContext) -> None:
        """Tell the idempotency record how long this invocation can last."""
        self._config.register_lambda_context(context)

    def welcome(self, subscriber: rules.Subscriber) -> None:
        """Send the welcome unless that was done already."""
        self._once(subscriber={"key": subscriber.key, "event_id": subscriber.event_id, "address": subscriber.address})

    def _send(self, subscriber: dict[str, str]) -> None:
        subject = {"Data": rules.subject(), "Charset": "UTF-8"}
        text = {"Data": rules.text(self._settings.site_url), "Charset": "UTF-8"}
        self._ses.send_email(
            FromEmailAddress=self._settings.sender,
            Destination={"ToAddresses": [subscriber["address"]]},
            Content={"Simple": {"Subject": subject, "Body": {"Text": text}}},
        )
