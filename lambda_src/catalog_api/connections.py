"""What both functions work with, made at the first event: importing them needs neither settings nor AWS."""

from functools import cache, partial

import boto3
from botocore.config import Config

from catalog_api.cache import Cache, redis
from catalog_api.settings import Settings
from catalog_api.store import Store
from catalog_api.tokens import IamToken

# A caller waits: two attempts, two seconds at most.
_LIMITS = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"})


@cache
def settings() -> Settings:
    """The environment."""
    return Settings()


@cache
def store() -> Store:
    """The table."""
    return Store(settings().table_name, boto3.client("dynamodb", config=_LIMITS))


@cache
def products() -> Cache:
    """The cache, whose connection lives as long as the function's environment."""
    told = settings()
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise RuntimeError("the function has no credentials to sign with")
    token = IamToken(cache=told.cache_name, user=told.cache_user, region=told.aws_region, credentials=credentials)
    return Cache(
        partial(redis, told.cache_host, told.cache_port, token),
        seconds=told.cache_seconds,
        unknown_seconds=told.cache_unknown_seconds,
    )
