"""customers_service as a process, over a real PostgreSQL with TLS."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.servers import fake_aws, postgres, processes
from tests.servers.conftest import SECRET_ARN

ADA = {"name": "Ada", "email": "ada@example.com", "rewardPoints": 5}


@pytest.fixture
def client(customers: processes.Process) -> Iterator[httpx.Client]:
    with customers.client() as made:
        yield made


@pytest.fixture
def ada(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/customers", json=ADA).json()
    return found


@pytest.fixture(scope="module")
def pair(
    customers_environment: dict[str, str], database: postgres.Postgres, aws: fake_aws.FakeAws
) -> Iterator[list[processes.Process]]:
    """Two that were started together, over a database in which nothing was."""
    database.execute("CREATE DATABASE fresh")
    aws.secrets["fresh"] = json.dumps(database.secret | {"dbname": "fresh"})
    environment = customers_environment | {"DATABASE_SECRET_ARN": "fresh"}
    with ThreadPoolExecutor(2) as threads:
        started = list(threads.map(lambda _: processes.Process("customers_service", environment), range(2)))
    try:
        _until(lambda: all(process.get("/ready").status_code == 200 for process in started))
        yield started
    finally:
        for process in started:
            process.kill()


def _until(true: Callable[[], bool]) -> None:
    """Ask until it is so, with pauses: who asks without end keeps the asked from working."""
    end, pause = time.monotonic() + 20, threading.Event()
    while not true():
        assert time.monotonic() < end
        pause.wait(0.02)


def test_a_customer_is_added_and_found(client: httpx.Client) -> None:
    made = client.post("/customers", json=ADA | {"name": "  Ada "})
    assert made.status_code == 201
    assert made.json() == ADA | {key: made.json()[key] for key in ("id", "createdAt", "updatedAt")} | {"version": 1}
    found = client.get(made.headers["Location"])
    assert (found.status_code, found.json()) == (200, made.json())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": None}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b\ud800.ch"}, "email"),
        ({"rewardPoints": -1}, "rewardPoints"),
        ({"rewardPoints": 1.5}, "rewardPoints"),
        ({"rewardPoints": 2**31}, "rewardPoints"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_breaks_a_rule_is_named(client: httpx.Client, change: dict[str, Any], field: str) -> None:
    body = json.dumps(ADA | change).encode()
    refused = client.post("/customers", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert refused.json()["errors"][0]["rule"]


@pytest.mark.parametrize("name", ["Zoë Ñandú", "李小龍", "😀", "O'Brien; DROP TABLE customers"])
def test_names_are_kept_as_they_are(client: httpx.Client, name: str) -> None:
    made = client.post("/customers", json=ADA | {"name": name}).json()
    assert client.get(f"/customers/{made['id']}").json()["name"] == name


def test_a_change_is_made_to_the_version_that_was_seen(client: httpx.Client, ada: dict[str, Any]) -> None:
    change = {"name": "Ada L.", "email": "ada@example.org", "rewardPoints": 9}
    changed = client.put(f"/customers/{ada['id']}", json=change | {"version": 1})
    assert changed.status_code == 200
    assert changed.json() == ada | change | {"version": 2, "updatedAt": changed.json()["updatedAt"]}
    late = client.put(f"/customers/{ada['id']}", json=change | {"version": 1})
    assert (late.status_code, late.json()["currentVersion"]) == (409, 2)
    assert client.get(f"/customers/{ada['id']}").json() == changed.json()


def test_of_changes_at_once_one_wins(client: httpx.Client, ada: dict[str, Any]) -> None:
    def change(points: int) -> int:
        return client.put(f"/customers/{ada['id']}", json=ADA | {"rewardPoints": points, "version": 1}).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(change, range(8)))
    assert answers == [200] + [409] * 7


def test_a_customer_is_deleted_once(client: httpx.Client, ada: dict[str, Any]) -> None:
    where = f"/customers/{ada['id']}"
    assert client.delete(where, params={"version": 2}).status_code == 409
    assert [client.delete(where, params={"version": 1}).status_code, client.delete(where).status_code] == [204, 404]
    assert client.get(where).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("identity", [str(uuid.UUID(int=0)), "7", "..%2f"])
def test_who_is_not_there_is_not_found(client: httpx.Client, method: str, identity: str) -> None:
    body: Any = {"json": ADA | {"version": 1}} if method == "PUT" else {}
    assert client.request(method, f"/customers/{identity}", **body).status_code == 404


def test_pages_show_everyone_once_in_the_order_of_creation(client: httpx.Client) -> None:
    made = [client.post("/customers", json=ADA | {"name": f"Page {number}"}).json()["id"] for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        answer = client.get("/customers", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert len(answer["items"]) <= 2
        seen += [one["id"] for one in answer["items"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen)
    assert [one for one in seen if one in made] == made


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor"), ("cursor=", "cursor")],
)
def test_a_wrong_page_is_named(client: httpx.Client, query: str, field: str) -> None:
    refused = client.get(f"/customers?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)


def test_a_stopped_database_is_said_soon_and_used_again_when_it_is_back(
    client: httpx.Client, ada: dict[str, Any], database: postgres.Postgres
) -> None:
    where = f"/customers/{ada['id']}"
    database.stop()
    try:
        away = client.get(where)
        assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
        assert away.elapsed.total_seconds() < 6
        assert client.post("/customers", json=ADA).status_code == 503
        assert client.get("/ready").json()["dependencies"] == {"database": "down"}
        assert client.get("/health").status_code == 200
    finally:
        database.start()
    assert client.get(where).json() == ada
    assert client.get("/ready").status_code == 200


def test_a_database_that_hangs_does_not_hang_its_callers(
    client: httpx.Client, ada: dict[str, Any], database: postgres.Postgres
) -> None:
    with database.frozen():
        away = client.get(f"/customers/{ada['id']}")
        assert client.get("/health").elapsed.total_seconds() < 2
    assert away.status_code == 503
    assert away.elapsed.total_seconds() < 6
    assert client.get(f"/customers/{ada['id']}").json() == ada


def test_connections_that_were_cut_are_replaced_unnoticed(
    client: httpx.Client, ada: dict[str, Any], database: postgres.Postgres
) -> None:
    database.cut()
    assert client.get(f"/customers/{ada['id']}").json() == ada


def test_a_rotated_password_is_taken_over_without_restart(
    client: httpx.Client, ada: dict[str, Any], database: postgres.Postgres, aws: fake_aws.FakeAws
) -> None:
    database.execute(f"ALTER ROLE {postgres.USER} PASSWORD 'second'")
    database.password = "second"
    database.cut()
    assert client.get(f"/customers/{ada['id']}").status_code == 503
    aws.secrets[SECRET_ARN] = json.dumps(database.secret)
    # The secret was read less than a second ago: it is read again when that second is over.
    _until(lambda: client.get(f"/customers/{ada['id']}").status_code == 200)
    assert client.get(f"/customers/{ada['id']}").json() == ada


def test_a_server_that_starts_without_its_database_is_there_when_it_comes(
    customers_environment: dict[str, str], database: postgres.Postgres
) -> None:
    database.stop()
    try:
        with processes.running("customers_service", customers_environment) as process, process.client() as client:
            assert client.get("/health").status_code == 200
            assert client.get("/customers").status_code == 503
            database.start()
            process.log(lambda line: line["event"].startswith("Will assume transactional DDL"))
            _until(lambda: client.get("/customers").status_code == 200)
    finally:
        if not database.runs:
            database.start()


def test_two_that_start_together_migrate_once(pair: list[processes.Process]) -> None:
    runs = [line for process in pair for line in process.logs if line["event"].startswith("Running upgrade")]
    assert len(runs) == 1


def test_term_finishes_what_is_under_way(pair: list[processes.Process], database: postgres.Postgres) -> None:
    process = pair[0]
    with database.connect("fresh") as administrator, process.client() as client, ThreadPoolExecutor(8) as threads:
        administrator.execute("BEGIN; LOCK TABLE customers")
        under_way = [threads.submit(client.post, "/customers", json=ADA) for _ in range(8)]
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted HAVING count(*) = 8"
        _until(lambda: administrator.execute(waiting).fetchone() is not None)
        process.terminate()
        process.log(lambda line: line["event"] == "Shutting down")
        with pytest.raises(httpx.ConnectError):
            process.get("/health")
        administrator.execute("COMMIT")
        assert [one.result().status_code for one in under_way] == [201] * 8
    assert process.wait() == 0
    end = process.logs[[line["event"] for line in process.logs].index("Shutting down") :]
    assert [line for line in end if "not_json" in line or line["level"] in {"warning", "error"}] == []
