"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case: TOPIC_ARN, FAILURES_URL."""

    topic_arn: str
    failures_url: str
