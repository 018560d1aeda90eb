"""Through the cluster while it can be reached, directly while it cannot."""

import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functions.todo_fakes import refusal
from todo_api.connection import Connection, dax


@dataclass
class Side:
    """A client that answers with its name, or raises."""

    name: str
    error: Exception | None = None
    asked: list[Any] = field(default_factory=list)

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.error:
            raise self.error
        return {"by": self.name}


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_cluster_dynamodb_is_asked() -> None:
    assert Connection(Side("direct")).call("get_item", TableName="t") == {"by": "direct"}


def test_with_a_cluster_it_is_asked_by_one_connection() -> None:
    cluster, direct = Side("cluster"), Side("direct")
    clients = iter([cluster])
    connection = Connection(direct, lambda: next(clients))
    assert [connection.call("get_item", TableName="t") for _ in range(2)] == [{"by": "cluster"}] * 2
    assert (cluster.asked, direct.asked) == ([{"TableName": "t"}] * 2, [])


@pytest.mark.parametrize(
    "error",
    [
        refusal("NoRouteException"),
        refusal("ConnectionException"),
        refusal("EndOfStreamException"),
        TimeoutError("timed out"),
        socket.gaierror("no such name"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_left_alone_for_a_while(error: Exception) -> None:
    cluster, direct, clock = Side("cluster", error), Side("direct"), Clock()
    connection = Connection(direct, lambda: cluster, clock=clock)
    assert [connection.call("get_item", TableName="t") for _ in range(3)] == [{"by": "direct"}] * 3
    assert len(cluster.asked) == 1, "every request would wait for it"
    clock.now, cluster.error = 30.0, None
    assert connection.call("get_item", TableName="t") == {"by": "cluster"}


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "AccessDeniedException", "ValidationException"])
def test_an_answer_that_came_through_the_cluster_is_an_answer(code: str) -> None:
    direct = Side("direct")
    with pytest.raises(ClientError, match=code):
        Connection(direct, lambda: Side("cluster", refusal(code))).call("get_item", TableName="t")
    assert direct.asked == []


def test_a_mistake_of_ours_is_not_hidden_behind_the_fallback() -> None:
    with pytest.raises(ValueError, match="ours"):
        Connection(Side("direct"), lambda: Side("cluster", ValueError("ours"))).call("get_item")


def test_the_official_client_says_so_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fallback leans on, proven with the client that runs in the cloud."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        endpoint = f"daxs://127.0.0.1:{held.getsockname()[1]}"
        connection = Connection(Side("direct"), lambda: dax(endpoint))
        assert connection.call("get_item", TableName="t") == {"by": "direct"}
        with pytest.raises(ClientError, match="NoRouteException"):
            dax(endpoint)
