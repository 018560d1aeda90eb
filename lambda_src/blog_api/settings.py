"""What the function is told by its environment; a missing variable is named by pydantic."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Environment variables, upper case.

    Attributes:
        posts_table: Name of the posts' table.
        subscribers_table: Name of the subscribers' table.
        uploads_bucket: Where photos are put.
        uploads_endpoint: The S3 endpoint that browsers upload to; the bucket's name comes before its host.
        uploads_prefix: First part of the photos' keys.
        renditions_bucket: Where thumbnails and rejections are.
        user_pool_client_id: The app that tokens must be made for.
    """

    posts_table: str
    subscribers_table: str
    uploads_bucket: str
    uploads_endpoint: str
    uploads_prefix: str
    renditions_bucket: str
    user_pool_client_id: str
