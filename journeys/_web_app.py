"""The application behind the load balancer, as its clients see it, and who writes to it while something fails."""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

from journeys._http import Response
from journeys._servers import Server
from journeys._world import World


class App:
    """Customers, through the load balancer by its name.

    Args:
        world: The deployed stack.

    Attributes:
        url: Where it is.
        servers: Those that serve now.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = world.out["Url"]
        self.servers: list[Server] = []
        self._numbers = itertools.count(1)

    def find_servers(self) -> Sequence[Server]:
        """Who serves now."""
        self.servers = self._world.servers.of_group(self._world.out["ServerGroupName"])
        return self.servers

    def send(self, method: str, path: str, *, json: Any = None) -> Response:
        """One request; the answer, whatever it is."""
        return self._world.http(method, f"{self.url}{path}", json=json)

    def customer(self, **changes: Any) -> dict[str, Any]:
        """A customer of this run as it is asked for."""
        number = next(self._numbers)
        name = f"Customer {number} of {self._world.token}"
        return {"name": name, "email": f"{number}.{self._world.token}@example.com", "rewardPoints": number, **changes}

    def add(self) -> dict[str, Any]:
        """A customer that is kept."""
        answer = self.send("POST", "/customers", json=self.customer())
        assert answer.status == 201, f"expected 201, got {answer.status}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def answers(self) -> bool:
        """Whether it reads and writes now."""
        answer = self.send("GET", f"/customers/{self.add()['id']}")
        assert answer.status == 200, f"expected 200, got {answer.status}: {answer.text}"
        return True


class Clients:
    """Clients that write and read in turn, for a load, and remember what they were promised.

    Args:
        app: The application.

    Attributes:
        promised: The ids of the customers whose keeping was answered with 201.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._one = app.add()["id"]
        self._lock = threading.Lock()
        self.promised: list[str] = []

    def __call__(self, number: int) -> Response:
        """Send the request of that number."""
        if number % 2:
            return self._app.send("GET", f"/customers/{self._one}")
        answer = self._app.send("POST", "/customers", json=self._app.customer())
        if answer.status == 201:
            with self._lock:
                self.promised.append(answer.json()["id"])
        return answer

    def promises_hold(self) -> None:
        """Every customer that was said to be kept is there."""
        assert self.promised, "nothing was written"
        gone = [one for one in self.promised if self._app.send("GET", f"/customers/{one}").status != 200]
        assert not gone, f"{len(gone)} of {len(self.promised)} customers that were said to be kept are gone"
