"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case.

    Attributes:
        sender: The address that welcomes come from, verified with SES.
        site_url: Where the blog is.
        idempotency_table: Name of the table of what was done already.
    """

    sender: str
    site_url: str
    idempotency_table: str
