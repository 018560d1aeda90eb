"""The application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from orders_service.neighbours import Neighbours, neighbours
from orders_service.routes import router
from orders_service.service import Orders
from orders_service.settings import Settings
from orders_service.store import Store, store
from service_kit.app import create_app


def create(settings: Settings) -> FastAPI:
    """The server's application."""
    return application(settings, store(settings.orders_table, settings.aws_region), neighbours(settings))


def application(settings: Settings, orders: Store, others: Neighbours) -> FastAPI:
    """The application over a table and its neighbours."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await others.aclose()

    return create_app(
        title="Orders",
        description="Orders, placed once, at the prices of the catalog.",
        settings=settings,
        routers=[router(Orders(orders, others))],
        checks={"orders": orders.check, "catalog": others.check_catalog, "customers": others.check_customers},
        lifespan=lifespan,
    )
