"""The to-do app in somebody's hand: what it asks of the API, and where it keeps files."""

import itertools
import secrets
from typing import Any
from urllib.parse import urlencode

from journeys._cognito import User, Users
from journeys._http import Response
from journeys._world import World


class App:
    """The app of one user.

    Args:
        world: Where.
        user: Who signed in.
    """

    _reads = itertools.count()

    def __init__(self, world: World, user: User) -> None:
        self._world = world
        self.user = user

    def send(self, method: str, path: str, **query: object) -> Response:
        """A request without a body."""
        return self.user.http(method, self.url(path, **query))

    def write(self, method: str, path: str, json: Any) -> Response:
        """A request with a JSON body."""
        return self.user.http(method, self.url(path), json=json)

    def url(self, path: str, **query: object) -> str:
        """Where to send it."""
        return f"{self._world.out['ApiUrl']}{path}" + (f"?{urlencode(query)}" if query else "")

    def add(self, title: str, **fields: object) -> dict[str, Any]:
        """Add a to-do."""
        return _ok(self.write("POST", "/todos", {"title": title, **fields}), 201)

    def read(self, todo_id: str) -> Response:
        """Read a to-do as it is now, past every cache."""
        return self.send("GET", f"/todos/{todo_id}", seen=self._new())

    def change(self, todo_id: str, **fields: object) -> Response:
        """Change a to-do."""
        return self.write("PATCH", f"/todos/{todo_id}", fields)

    def pages(self, limit: int) -> list[list[dict[str, Any]]]:
        """The whole list, page by page."""
        found, query = [], {"limit": limit, "seen": self._new()}
        while True:
            page = _ok(self.send("GET", "/todos", **query), 200)
            found.append(page["items"])
            if page["cursor"] is None:
                return found
            query["cursor"] = page["cursor"]

    def _new(self) -> str:
        return f"{self._world.token}-{next(self._reads)}"


def other_client(world: World, user: User) -> User:
    """The same user, signed in with another app of the same pool."""
    cognito, pool = world.client("cognito-idp"), world.out["UserPoolId"]
    made = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName=f"other-{world.token}", ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"]
    )["UserPoolClient"]["ClientId"]
    world.cleanup(cognito.delete_user_pool_client, UserPoolId=pool, ClientId=made)
    same = User(world, pool, made, user.email, user.password)
    same.sign_in()
    return same


def other_pool(world: World) -> User:
    """A user of a pool that has nothing to do with the app."""
    cognito = world.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=f"other-{world.token}", UsernameAttributes=["email"])["UserPool"]["Id"]
    world.cleanup(cognito.delete_user_pool, UserPoolId=pool)
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"]
    )["UserPoolClient"]["ClientId"]
    return Users(world, pool=pool, client=client).sign_up(f"stranger{secrets.token_hex(2)}")


def _ok(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status == status, f"expected {status}, got {answer.status}: {answer.text}"
    found: dict[str, Any] = answer.json()
    return found
