"""The two services that are asked: the catalog for products, and the customers."""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from orders_service.rules import Cents
from orders_service.settings import Settings
from service_kit.clients import Dependency
from service_kit.logs import logger
from service_kit.problems import UnavailableError
from service_kit.sigv4 import SignedByAws

_log = logger(__name__)
_Answer = TypeVar("_Answer", bound=BaseModel)
# The catalog answers from a function, and one more of them takes seconds to start. Whoever gives up before it has
# started, and asks again, has another one started; so patience is less work for both.
_CATALOG_READ_SECONDS = 4.0
_CATALOG_TOTAL_SECONDS = 5.0
# Products that are asked for at once, of one order.
_AT_ONCE = 10
# A product that need not be there.
_ANY = "ready"


class Product(BaseModel):
    """What is used of a product, and what else it says."""

    model_config = ConfigDict(extra="allow", strict=True)

    sku: str
    name: str
    price: Cents


class Customer(BaseModel):
    """What is used of a customer, and what else it says."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    id: uuid.UUID
    name: str


class Neighbours:
    """Both.

    Args:
        catalog: Has products.
        customers: Has customers.
    """

    def __init__(self, catalog: Dependency, customers: Dependency) -> None:
        self._catalog = catalog
        self._customers = customers

    async def customer(self, customer_id: uuid.UUID) -> Customer | None:
        """A customer; None if there is none."""
        return _as(Customer, await self._customers.get(f"/customers/{customer_id}"), self._customers)

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """SKU -> product, of those that there are."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def product(sku: str) -> tuple[str, Product | None]:
            async with turn:
                return sku, _as(Product, await self._catalog.get(f"/products/{sku}"), self._catalog)

        found = await asyncio.gather(*(product(sku) for sku in skus))
        return {sku: one for sku, one in found if one is not None}

    async def check_catalog(self) -> None:
        """Whether it answers; that there is no such product is an answer."""
        await self._catalog.get(f"/products/{_ANY}")

    async def check_customers(self) -> None:
        """Whether they answer."""
        await self._customers.get("/health")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._catalog.aclose()
        await self._customers.aclose()


def neighbours(settings: Settings) -> Neighbours:
    """Both, as the settings say; the catalog's API lets in who signs."""
    signed = SignedByAws(service="execute-api", region=settings.aws_region)
    return Neighbours(
        Dependency(
            "catalog",
            base_url=settings.catalog_url,
            auth=signed,
            read_seconds=_CATALOG_READ_SECONDS,
            total_seconds=_CATALOG_TOTAL_SECONDS,
        ),
        Dependency("customers", base_url=settings.customers_url),
    )


def _as(model: type[_Answer], answer: Any | None, dependency: Dependency) -> _Answer | None:
    try:
        return None if answer is None else model.model_validate(answer)
    except ValidationError as error:
        _log.exception("a service answers what it should not", dependency=dependency.name)
        raise UnavailableError(f"The service {dependency.name} does not answer as it should; try again.") from error
