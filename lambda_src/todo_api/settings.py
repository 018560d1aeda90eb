"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case: TABLE_NAME, USER_POOL_CLIENT_ID, and DAX_ENDPOINT where there is a cluster."""

    table_name: str
    user_pool_client_id: str
    dax_endpoint: str | None = None
