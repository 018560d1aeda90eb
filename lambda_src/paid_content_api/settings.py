"""What the function is told by its environment; a missing variable is named by pydantic."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings


class SigningKey(BaseModel):
    """A key pair: its id at CloudFront, and the secret that has the private key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1)]
    secret: Annotated[str, Field(min_length=1)]


class Settings(BaseSettings):
    """Environment variables, upper case.

    Attributes:
        videos_table: ``VIDEOS_TABLE``: what is sold.
        premium_table: ``PREMIUM_TABLE``: who may watch what, until when.
        charges_table: ``CHARGES_TABLE``: one record per charge.
        idempotency_table: ``IDEMPOTENCY_TABLE``: which purchases were answered how.
        premium_days: ``PREMIUM_DAYS``: how long a purchase lasts, 1-3660.
        distribution_domain: ``DISTRIBUTION_DOMAIN``: host name of the videos' URLs.
        signing_keys: ``SIGNING_KEYS``: JSON, name -> id and secret's ARN; never a key itself.
        signing_key: ``SIGNING_KEY``: name of the one that signs.
        link_seconds: ``LINK_SECONDS``: how long a link lasts at most, 1-86400.
        bind_ip: ``BIND_IP``: whether every link is for the caller's IP address alone.
        user_pool_client_id: ``USER_POOL_CLIENT_ID``: the app whose ID tokens count.
    """

    videos_table: str
    premium_table: str
    charges_table: str
    idempotency_table: str
    premium_days: Annotated[int, Field(ge=1, le=3660)]
    distribution_domain: str
    signing_keys: dict[str, SigningKey]
    signing_key: str
    link_seconds: Annotated[int, Field(ge=1, le=86400)]
    bind_ip: bool
    user_pool_client_id: str

    @model_validator(mode="after")
    def _signing_key_is_there(self) -> Self:
        if self.signing_key not in self.signing_keys:
            raise ValueError(f"SIGNING_KEY: must be one of {sorted(self.signing_keys)}, got {self.signing_key!r}")
        return self
