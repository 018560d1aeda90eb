"""What the tests of servers share: one PostgreSQL, the AWS services that are called, one customers_service."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service_kit import logs
from tests.servers import fake_aws, postgres, processes

Log = Callable[[], list[dict[str, Any]]]
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:customers"


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Logs as a process of a server writes them; called, it returns the lines so far."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", written)
        logs.set_up("toy")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def aws() -> Iterator[fake_aws.FakeAws]:
    with fake_aws.running() as services:
        yield services


@pytest.fixture(scope="session")
def database(aws: fake_aws.FakeAws) -> Iterator[postgres.Postgres]:
    with postgres.running() as server:
        aws.secrets[SECRET_ARN] = json.dumps(server.secret)
        yield server


@pytest.fixture(scope="session")
def customers_environment(aws: fake_aws.FakeAws, database: postgres.Postgres) -> dict[str, str]:
    return {
        **processes.AWS,
        "AWS_ENDPOINT_URL": aws.url,
        "DATABASE_SECRET_ARN": SECRET_ARN,
        "PGSSLROOTCERT": str(database.authority),
    }


@pytest.fixture(scope="session")
def customers(customers_environment: dict[str, str]) -> Iterator[processes.Process]:
    with processes.running("customers_service", customers_environment) as process:
        yield process
