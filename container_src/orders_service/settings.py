"""What the server is told by its environment."""

from typing import Annotated

from pydantic import Field, StringConstraints

from service_kit.settings import AwsSettings

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+")]


class Settings(AwsSettings):
    """Environment variables, upper case.

    Attributes:
        orders_table: The table, with the partition key ``orderId``.
        catalog_url: Where the catalog is; its API asks for signatures.
        customers_url: Where the customers are.
    """

    orders_table: Annotated[str, Field(min_length=1)]
    catalog_url: Url
    customers_url: Url
