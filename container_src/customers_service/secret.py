"""The secret of the database: read when it is needed, and anew when it no longer opens the door (rotation)."""

import asyncio
import time
from typing import Any

import anyio.to_thread
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, SecretStr, ValidationError

from service_kit.logs import logger
from service_kit.problems import UnavailableError

_log = logger(__name__)
# However many requests find that they cannot connect, Secrets Manager is asked once in this time.
_AT_MOST_EVERY_SECONDS = 1.0


class DatabaseSecret(BaseModel):
    """As Amazon RDS and its rotation functions keep it."""

    username: str
    password: SecretStr
    host: str
    port: int = 5432
    dbname: str = "postgres"


class SecretReader:
    """Keeps the current version of one secret.

    Args:
        arn: The secret.
        client: Of Secrets Manager.
    """

    def __init__(self, arn: str, client: Any) -> None:
        self._arn = arn
        self._client = client
        self._known: DatabaseSecret | None = None
        self._read_at = -_AT_MOST_EVERY_SECONDS
        self._reading = asyncio.Lock()

    async def current(self) -> DatabaseSecret:
        """The secret.

        Raises:
            UnavailableError: It cannot be read.
        """
        async with self._reading:
            if self._known is None:
                self._known = await anyio.to_thread.run_sync(self._read)
                self._read_at = time.monotonic()
            return self._known

    def forget(self) -> None:
        """It did not work: the password may be another by now, or the host."""
        if time.monotonic() - self._read_at >= _AT_MOST_EVERY_SECONDS:
            self._known = None

    def _read(self) -> DatabaseSecret:
        try:
            text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
            return DatabaseSecret.model_validate_json(text)
        except (BotoCoreError, ClientError) as error:
            reason = f"{type(error).__name__}: {error}"
        except ValidationError as error:
            # Its input is the secret: only the names of the fields may be said.
            reason = f"fields: {', '.join(str(one['loc']) for one in error.errors(include_input=False))}"
        _log.error("the secret of the database cannot be read", reason=reason)
        raise UnavailableError("The database cannot be opened at the moment; try again.")


def reader(arn: str, region: str) -> SecretReader:
    """A reader that gives up soon, so that a request can be answered."""
    config = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"})
    return SecretReader(arn, boto3.client("secretsmanager", region_name=region, config=config))
