"""Calls of RDS's API for instances that have a server: what they share, and how they are refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

from localcloud.fixes import _database_servers as servers
from localcloud.fixes._database_servers import Instance

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Any]
OK = 200


class RefusedError(Exception):
    """An answer to a call that is refused: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def action(name: str) -> Callable[[Any], Any]:
    """Mark a method as the one for an action of the API."""

    def marked(method: Any) -> Any:
        method.action = name
        return method

    return marked


class Calls:
    """Some of the API's actions around the emulator's own ones.

    Args:
        rds: the emulator's module.
        before: its own handler of the action; None when it has none.
    """

    def __init__(self, rds: Any, before: Handler | None) -> None:
        self._rds = rds
        self._before: Handler = before or (lambda _parameters: None)

    def _get(self, p: Parameters, name: str) -> str:
        return str(self._rds._p(p, name))

    def _of(self, p: Parameters, name: str = "DBInstanceIdentifier") -> Instance | None:
        found: Instance | None = self._rds._resolve_instance(self._get(p, name))
        return found if servers.concerns(found) else None

    def _made(self, answer: Any, p: Parameters) -> Instance | None:
        """The instance that a call made, when it needs a server."""
        return self._of(p) if answer[0] == OK else None

    def _launched(self, action: str, instance: Instance, **how: Any) -> Any:
        servers.give(instance)
        return self._done(action, instance, "creating", partial(servers.launch, instance, **how))

    def _done(
        self, action: str, instance: Instance, status: str, work: Callable[[], None], then: str = "available"
    ) -> Any:
        """Do what a call asks for; its answer tells the status on the way there, as on AWS."""
        instance["DBInstanceStatus"] = status
        answer = self._told(action, instance)
        servers.pass_through(instance, status, work, then)
        return answer

    def _told(self, action: str, instance: Instance) -> Any:
        return self._rds._single_instance_response(f"{action}Response", f"{action}Result", instance)

    def _check_password(self, password: str) -> None:
        try:
            servers.check_password(password)
        except ValueError as error:
            raise RefusedError("InvalidParameterValue", str(error)) from None

    @staticmethod
    def _expect(instance: Instance, status: str) -> None:
        if instance["DBInstanceStatus"] != status:
            name = instance["DBInstanceIdentifier"]
            raise RefusedError("InvalidDBInstanceState", f"Instance {name} is not in {status} state.")
