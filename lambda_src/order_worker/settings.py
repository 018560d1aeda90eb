"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case: ORDERS_TABLE, IDEMPOTENCY_TABLE, NOTICES_TOPIC_ARN."""

    orders_table: str
    idempotency_table: str
    notices_topic_arn: str
