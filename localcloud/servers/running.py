"""One server that runs."""

import contextlib
import socket
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from journeys._waiting import Waiting
from localcloud.errors import LocalCloudError
from localcloud.process import Child
from localcloud.servers.plan import Plan
from localcloud.servers.registration import Registration

START_SECONDS = 90.0
DRAIN_SECONDS = 400.0
_GONE = {"unhealthy", "unused"}
_PAUSE = 0.5


class RunningServer:
    """A process that is, or is to be, behind a load balancer.

    Attributes:
        name: For people; also its log file's.
        plan: As what it was started.
    """

    def __init__(self, name: str, plan: Plan, child: Child, registration: Registration, waiting: Waiting) -> None:
        self.name, self.plan = name, plan
        self._child, self._registration, self._waiting = child, registration, waiting
        self._over = threading.Event()
        self._noticing: threading.Thread | None = None
        self._is_up = True

    @property
    def target(self) -> str:
        """Address and port."""
        return self._registration.target

    @property
    def zone(self) -> str:
        """Its availability zone."""
        return self._registration.zone

    @property
    def is_up(self) -> bool:
        """Whether nobody has stopped or killed it, and it has not ended by itself."""
        return self._is_up and self._child.status() is None

    def join(self) -> None:
        """Wait until it listens, register it, and wait until it is healthy.

        Raises:
            LocalCloudError: it ended, or did not get there in time.
        """
        self._await(self._listens, "listens")
        self._registration.enter()
        self._await(lambda: all(state == "healthy" for state in self._registration.states()), "is healthy")

    def stop(self) -> None:
        """Deregister, wait for the drain, TERM."""
        self._is_up = False
        self._registration.leave()
        self._waiting.eventually(
            lambda: "draining" not in self._registration.states(),
            within=DRAIN_SECONDS,
            what=f"{self.name} has finished what it had",
        )
        self._child.stop(self.plan.stop_seconds)

    def kill(self) -> None:
        """KILL. It stays registered until the checks notice; then it is deregistered, as ECS and Auto Scaling do."""
        self._is_up = False
        self._child.kill()
        self._noticing = threading.Thread(target=self._notice, name=f"{self.name}-gone", daemon=True)
        self._noticing.start()

    def leave(self) -> None:
        """TERM without a drain: everything ends."""
        self._is_up = False
        self._over.set()
        if self._noticing:
            self._noticing.join()
        # The emulator may be gone already, or the target group; the process must end all the same.
        with contextlib.suppress(BotoCoreError, ClientError):
            self._registration.leave()
        self._child.stop(self.plan.stop_seconds)

    def _notice(self) -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            while not self._over.wait(_PAUSE):
                if set(self._registration.states()) <= _GONE:
                    self._registration.leave()
                    return

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._registration.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _await(self, probe: Callable[[], bool], what: str) -> None:
        def probed() -> bool:
            if (status := self._child.status()) is not None:
                said = self._child.tail(3)
                log = self._child.log
                raise LocalCloudError(f"the server {self.name} ended with status {status}: {said}; its log: {log}")
            return probe()

        try:
            self._waiting.eventually(probed, within=START_SECONDS, what=f"the server {self.name} {what}")
        except AssertionError as late:
            raise LocalCloudError(f"{late}; its log: {self._child.log}") from late
