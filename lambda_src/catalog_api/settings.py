"""What the functions are told by their environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case: TABLE_NAME, CACHE_HOST, CACHE_PORT, CACHE_NAME, CACHE_USER, AWS_REGION.

    Attributes:
        cache_seconds: How long a product is kept, give or take a tenth.
        cache_unknown_seconds: How long it is kept that there is no such product.
    """

    table_name: str
    cache_host: str
    cache_port: int
    cache_name: str
    cache_user: str
    aws_region: str
    cache_seconds: int = 300
    cache_unknown_seconds: int = 30
