"""The world of a journey: a deployed stack's outputs and everything to act on it and to watch it.

The only place that knows the local cloud from AWS.
"""

import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from botocore.exceptions import ClientError
from rich.console import Console

from journeys import _refusals
from journeys._http import Http
from journeys._identity import Identity, person, with_keys
from journeys._progress import Progress
from journeys._servers import AwsServers, Servers
from journeys._steps import NotRunError, Step, Steps
from journeys._target import Target
from journeys._waiting import Waiting

T = TypeVar("T")

__all__ = ["NotRunError", "Outputs", "World"]


class Outputs(dict[str, str]):
    """The outputs of a stack by name; an unknown name raises a KeyError that lists the known ones."""

    def __missing__(self, name: str) -> str:
        known = ", ".join(sorted(self)) or "no output at all"
        message = f"the stack has no output {name}; it has {known}"
        raise KeyError(message)


class World(Identity):
    """What a journey works with. Itself it acts as the person who runs the journey.

    Args:
        key: The scenario, ``order-queue``.
        target: The cloud.
        outputs: The stack's outputs by name.
        build: The folder for what is made (``<build>/journeys/<key>/``).
        console: Where progress is printed; left out: standard output.
        waiting: The clock of ``eventually`` and ``never``.
        servers: Makes the stack's servers, where they do not boot by themselves; called when they are asked for.

    Attributes:
        key: The scenario.
        out: The stack's outputs by name.
        token: A short text of letters and digits, another one in each run, to tell this run's data from others'.
        steps: The recorded steps.
    """

    def __init__(
        self,
        key: str,
        target: Target,
        outputs: Mapping[str, str],
        *,
        build: Path = Path("build"),
        console: Console | None = None,
        waiting: Waiting | None = None,
        servers: Callable[[], Servers] | None = None,
    ) -> None:
        http = Http(
            endpoint_url=target.endpoint_url, plain_endpoint_url=target.plain_endpoint_url, ca_bundle=target.ca_bundle
        )
        super().__init__(target, person(target), http)
        self.key = key
        self.out = Outputs(outputs)
        self.token = f"t{secrets.token_hex(5)}"
        self.progress = Progress(console or Console())
        self.folder = build / "journeys" / key
        self.steps = Steps(self.progress, self.folder / "traceback.log", clock=(waiting or Waiting()).clock)
        self._waiting = waiting or Waiting()
        self._make_servers = servers or partial(AwsServers, self)
        self._cleanups: list[tuple[str, Callable[[], object]]] = []
        self._roles: dict[str, Identity] = {}
        self._assuming = threading.Lock()

    @property
    def place(self) -> str:
        """Where this is, for people."""
        return f"{'local cloud' if self._target.is_local else 'AWS'}, {self.region}"

    @property
    def authority(self) -> str | None:
        """The certificate authority to trust (PEM file) of what is not HTTP; None: those of the system."""
        return self._target.ca_bundle

    @cached_property
    def account(self) -> str:
        """The account id."""
        return self.client("sts").get_caller_identity()["Account"]

    @cached_property
    def servers(self) -> Servers:
        """The servers of the stack: of its ECS services and Auto Scaling groups."""
        made = self._make_servers()
        # First of all, so that it is done last: what else is cleaned up may need them.
        self._cleanups.insert(0, ("servers", made.close))
        return made

    def as_role(self, arn: str) -> Identity:
        """Act under a role: an object with ``client``, ``http``, ``plain_http`` and ``region``. Assumed once per run.

        Waits when the role may not be assumed yet, since IAM needs a moment to spread a change.

        Raises:
            AssertionError: The role may not be assumed, after 30 seconds still.
        """
        with self._assuming:
            if arn not in self._roles:
                assume = partial(self._assume, arn)
                keys = self.eventually(assume, within=30, what=f"the person may assume {arn}")
                session = with_keys(self._target, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
                self._roles[arn] = Identity(self._target, session, self._http)
            return self._roles[arn]

    def with_keys(self, access_key_id: str, secret_access_key: str, session_token: str) -> Identity:
        """Act under credentials that the journey was given; closed at its end."""
        given = with_keys(self._target, access_key_id, secret_access_key, session_token)
        identity = Identity(self._target, given, self._http)
        self.cleanup(identity.close)
        return identity

    def step(self, name: str) -> AbstractContextManager[Step]:
        """A step of the journey: ``with world.step("a paid order is stored once") as step: ...``.

        Recorded as passed when its body ends, as failed when it raises (the exception goes on), as not-run with the
        reason of a :class:`NotRunError` (the journey goes on).

        Args:
            name: What it proves, as a sentence.
        """
        return self.steps.step(name)

    def not_run(self, name: str, reason: str) -> None:
        """Record a step that cannot be run here.

        Args:
            name: What it would prove.
            reason: Why it cannot.

        Raises:
            ValueError: No reason.
        """
        self.steps.not_run(name, reason)

    def eventually(self, probe: Callable[[], T], *, within: float = 30, what: str = "the condition") -> T:
        """Poll until the probe answers something truthy, and return that. See :meth:`Waiting.eventually`."""
        return self._waiting.eventually(probe, within=within, what=what)

    def never(self, probe: Callable[[], object], *, during: float = 3, what: str = "the condition") -> None:
        """Poll for some seconds and see that the probe never answers something truthy. See :meth:`Waiting.never`."""
        self._waiting.never(probe, during=during, what=what)

    def refused(self, codes: str | Collection[str], call: Callable[..., object], /, **kwargs: object) -> str:
        """Make a call that must be refused with (one of) these codes, and return the message. See :func:`refused`."""
        return _refusals.refused(codes, call, **kwargs)

    def save(self, name: str, data: bytes | str) -> Path:
        """Keep something that the journey got, and print where.

        Args:
            name: The file's name below ``build/journeys/<key>/``.
            data: Its content.

        Raises:
            ValueError: The name leads out of that folder.
        """
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()) or path.resolve() == self.folder.resolve():
            message = f"name: must be a file below {self.folder}, got {name!r}"
            raise ValueError(message)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        self.progress.saved(path)
        return path

    def sms(self, number: str) -> list[str]:
        """The texts that were handed to a phone, oldest first.

        Args:
            number: ``"+49170…"``.

        Raises:
            NotRunError: On AWS, where nobody can read them back.
        """
        if self._target.sms_url is None:
            message = "texts to phones cannot be read back on AWS"
            raise NotRunError(message)
        query = urlencode({"phoneNumber": number, "region": self.region})
        answer = self.http("GET", f"{self._target.sms_url}?{query}")
        if answer.status != 200:
            message = f"the local cloud's list of texts: expected HTTP 200, got {answer.status}: {answer.text}"
            raise AssertionError(message)
        return [text["Message"] for text in answer.json()["sms_messages"].get(number, [])]

    def mqtt_broker(self) -> tuple[str, int, str | None]:
        """Where devices speak MQTT over TLS: host, port and the authority (PEM) to trust; None: those of the system."""
        if self._target.mqtt_port is None or self._target.mqtt_ca_url is None:
            return self.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"], 8883, None
        return "127.0.0.1", self._target.mqtt_port, self.http("GET", self._target.mqtt_ca_url).text

    def cleanup(self, call: Callable[..., object], /, *args: Any, **kwargs: Any) -> None:
        """Call this at the end of the journey, also after a failure. The last one registered is called first."""
        self._cleanups.append((getattr(call, "__name__", repr(call)), partial(call, *args, **kwargs)))

    def clean_up(self) -> None:
        """Do what :meth:`cleanup` registered. What goes wrong is a failed step each; the others are still done."""
        try:
            while self._cleanups:
                name, call = self._cleanups.pop()
                with self.steps.guard(f"clean up: {name}"):
                    call()
        finally:
            for identity in (self, *self._roles.values()):
                identity.close()
            self._http.close()

    def _assume(self, arn: str) -> Mapping[str, str]:
        try:
            answer = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=f"journey-{self.token}")
        except ClientError as error:
            # Only a refusal can pass; anything else is wrong for good, and eventually() would wait on a ClientError.
            if "AccessDenied" in error.response["Error"]["Code"]:
                raise
            message = f"{arn} cannot be assumed: {error}"
            raise RuntimeError(message) from error
        return {name: str(value) for name, value in answer["Credentials"].items()}
