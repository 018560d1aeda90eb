"""From each OpenAPI document a client is made that works."""

import asyncio
import importlib
import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from openapi_python_client.cli import app as generator
from typer.testing import CliRunner

import customers_service.app
import orders_service.app
import update_server.app
from customers_service.settings import Settings as CustomersSettings
from orders_service.settings import Settings as OrdersSettings
from tests.servers import processes
from update_server.publish import publish
from update_server.settings import Settings as UpdatesSettings


def _generate(app: FastAPI, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package ``name`` importable."""
    (folder / "document.json").write_text(json.dumps(app.openapi()))
    (folder / "settings.yml").write_text("post_hooks: []\n")
    command = [
        "generate",
        "--path",
        "document.json",
        "--output-path",
        name,
        "--meta",
        "none",
        "--config",
        "settings.yml",
    ]
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(generator, [*command, "--fail-on-warning"])
    assert done.exit_code == 0, done.output
    monkeypatch.syspath_prepend(str(folder))


def _imported(name: str) -> Any:
    return importlib.import_module(name)


def test_customers(customers: processes.Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = customers_service.app.create(CustomersSettings(aws_region="eu-central-1", database_secret_arn="a"))
    _generate(app, "customers_client", tmp_path, monkeypatch)
    api, models = "customers_client.api.customers", _imported("customers_client.models")
    client = _imported("customers_client").Client(base_url=customers.url, httpx_args={"trust_env": False})
    ada = models.NewCustomer(name="Ada", email="ada@example.com")
    with client as open_client:
        made = _imported(f"{api}.add_customer").sync(client=open_client, body=ada)
        found = _imported(f"{api}.get_customer").sync(made.id, client=open_client)
        other = _imported(f"{api}.get_customer").sync(uuid.uuid4(), client=open_client)
    assert found == made
    assert (made.reward_points, made.version) == (0, 1)
    assert isinstance(other, models.Problem)
    assert other.correlation_id


def test_updates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "releases"
    root.mkdir()
    publish(root, "1.0.0", [Path(__file__)])
    app = update_server.app.create(UpdatesSettings(releases_root=root))
    _generate(app, "updates_client", tmp_path, monkeypatch)
    get_file = _imported("updates_client.api.releases.get_file")

    async def ask(name: str) -> Any:
        client = _imported("updates_client").Client(base_url="http://test")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as there:
            client.set_async_httpx_client(there)
            return await get_file.asyncio_detailed("1.0.0", name, client=client)

    assert asyncio.run(ask(Path(__file__).name)).content == Path(__file__).read_bytes()
    assert asyncio.run(ask("nope.bin")).parsed.status == 404


def test_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = OrdersSettings(
        aws_region="eu-central-1", orders_table="orders", catalog_url="https://a", customers_url="https://b"
    )
    app = orders_service.app.create(settings)
    _generate(app, "orders_client", tmp_path, monkeypatch)
    place, models = _imported("orders_client.api.orders.place_order"), _imported("orders_client.models")
    order = models.NewOrder(customer_id=uuid.uuid4(), items=[])

    async def ask() -> Any:
        client = _imported("orders_client").Client(base_url="http://test")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as there:
            client.set_async_httpx_client(there)
            return await place.asyncio(client=client, body=order, idempotency_key="k")

    refused = asyncio.run(ask())
    assert [one.field for one in refused.errors] == ["items"]


def test_a_document_that_is_none_makes_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = update_server.app.create(UpdatesSettings(releases_root=tmp_path))
    app.openapi()["paths"] = {"/x": {"get": {"responses": {"200": {"$ref": "#/components/responses/gone"}}}}}
    with pytest.raises(AssertionError, match="gone"):
        _generate(app, "none_client", tmp_path, monkeypatch)
