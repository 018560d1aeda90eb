"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings

from fanout_consumer.rules import Part


class Settings(BaseSettings):
    """Environment variables, upper case: CONSUMER, RECORDS_TABLE, NEEDS (JSON list of parts, default none)."""

    consumer: str
    records_table: str
    needs: frozenset[Part] = frozenset()
