"""The local cloud as a Python object: start it, deploy to it, get a journey's world of it; it ends with its block."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from journeys._report import Resources
from journeys._target import Target
from journeys._waiting import Waiting
from journeys._world import World
from localcloud import cdk, environment, failure, inventory
from localcloud.emulator import Ready
from localcloud.environment import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY
from localcloud.errors import LocalCloudError
from localcloud.machine import wheel_platform
from localcloud.process import Child
from localcloud.progress import Progress
from localcloud.servers.local import LocalServers
from localcloud.starting import start
from stacks import catalog
from stacks.scenario import stack_id

__all__ = ["ACCOUNT", "EMULATOR_PYTHON", "REGION", "LocalCloud"]

CDK_SECONDS = 1800.0
EMULATOR_PYTHON = cdk.ROOT / ".venv-localcloud" / "bin" / "python"


class LocalCloud:
    """A running local cloud. Use `LocalCloud.start`."""

    def __init__(self, state: Path, emulator: Child, ready: Ready, ca: Path, progress: Progress) -> None:
        self.state = state
        self.ready = ready
        self.ca_bundle = ca
        self.iam_log = state / "iam.jsonl"
        """JSON lines: principal, action, resource, decision."""
        self.stacks: dict[str, cdk.DeployableStack] = {}
        """What has been deployed, by stack id."""
        self.outputs: dict[str, dict[str, str]] = {}
        """Stack outputs by stack id."""
        self._emulator = emulator
        self._progress = progress
        self._children = ExitStack()
        self._bootstrap: Child | None = None

    @classmethod
    @contextmanager
    def start(
        cls,
        state: Path,
        *,
        python: Path = EMULATOR_PYTHON,
        progress: Progress | None = None,
        bare: bool = False,
    ) -> Iterator["LocalCloud"]:
        """Start the emulator and begin to bootstrap it; both end with the block, however it is left.

        Args:
            state: folder of its data, logs and certificates; emptied first, except for the certificates. One local
                cloud at a time can run in one.
            python: the interpreter of the emulator's environment; it also runs the Python functions.
            progress: where it says what it does; by default nowhere.
            bare: without our fixes and without bootstrap, to see what the emulator does by itself.

        Raises:
            LocalCloudError: it cannot start.
        """
        progress = progress or Progress.silent()
        state = state.resolve()
        with ExitStack() as children:
            with progress.phase("starting the emulator"):
                emulator, ready, ca = start(state, python, children, fixes=not bare)
            cloud = cls(state, emulator, ready, ca, progress)
            children.callback(cloud._children.close)
            if not bare:
                cloud._begin_bootstrap()
            try:
                yield cloud
            finally:
                with progress.phase("stopping"):
                    children.close()

    @property
    def endpoint_url(self) -> str:
        """The TLS endpoint."""
        return f"https://127.0.0.1:{self.ready.port}"

    @property
    def plain_endpoint_url(self) -> str:
        """The same without TLS, to prove that it is refused."""
        return f"http://127.0.0.1:{self.ready.plain_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a tool must have in its environment to reach this cloud."""
        return environment.of_clients(self.endpoint_url, self.ca_bundle)

    def deploy(self, names: Iterable[str] = (), *, app_folder: Path = cdk.ROOT) -> list[cdk.DeployableStack]:
        """Synthesize and deploy, with the real command line and unchanged templates.

        Args:
            names: scenarios; all when none is named.
            app_folder: where cdk.json is; the checkout by default.

        Raises:
            LocalCloudError: synth or deploy failed, or a template has a resource type that nothing here knows.
        """
        keys = catalog.resolve(names) if app_folder == cdk.ROOT else list(names)
        stacks = self._synth(keys, app_folder)
        inventory.refuse_unknown(stacks, self.ready)
        self._await_bootstrap()
        self._deploy(stacks)
        return stacks

    @property
    def target(self) -> Target:
        """What a journey's world needs to know of this cloud."""
        return Target(
            endpoint_url=self.endpoint_url,
            plain_endpoint_url=self.plain_endpoint_url,
            ca_bundle=str(self.ca_bundle),
            region=REGION,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            sms_url=f"{self.endpoint_url}/_ministack/sns/sms-messages",
            mqtt_port=self.ready.mqtt_port or None,
            mqtt_ca_url=f"{self.endpoint_url}/_ministack/iot/ca.pem",
        )

    def world(self, key: str, *, console: Console | None = None, waiting: Waiting | None = None) -> World:
        """A journey's world: the deployed stack of scenario `key` in this cloud; it can be used once."""
        outputs, build = self.outputs[stack_id(key)], cdk.ROOT / "build"
        return World(key, self.target, outputs, build=build, console=console, waiting=waiting, servers=self.servers)

    def servers(self) -> LocalServers:
        """The servers of the deployed stacks; none runs before it is asked for, all end with `close`."""
        return LocalServers(self, port=self.ready.port, state=self.state, progress=self._progress)

    def resources(self, key: str) -> Resources:
        """How many resources the deployed stack of scenario `key` has, by who makes them here."""
        return Resources(**inventory.count(self.stacks[stack_id(key)], self.ready))

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud as its root, to which IAM says yes to everything."""
        # The stubs know a list of names; this takes any.
        make: Any = boto3.client
        return make(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            verify=str(self.ca_bundle),
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def check_alive(self) -> None:
        """Raise LocalCloudError when the emulator has died."""
        if (status := self._emulator.status()) is not None:
            # Its last words are some request's; what ended it is seldom among them.
            how = "was stopped" if status == 0 else f"died (status {status})"
            raise LocalCloudError(f"the emulator {how} in the middle; what it said last is in {self._emulator.log}")

    def _synth(self, keys: list[str], app_folder: Path) -> list[cdk.DeployableStack]:
        assembly = self.state / "cdk.out"
        machine = {"aarch64": "arm64", "arm64": "arm64"}.get(self.ready.machine, "x86_64")
        context = {
            "function_python": self.ready.python,
            "function_architecture": machine,
            "function_platform": wheel_platform(),
        }
        if keys:
            context["scenario"] = ",".join(keys)
        log, tmp = self.state / "logs" / "synth.log", self.state / "tmp"
        child = cdk.synth(assembly, context, log=log, tmp=tmp, app_folder=app_folder)
        self._finish(child, "synthesizing")
        return cdk.stacks_of(assembly)

    def _begin_bootstrap(self) -> None:
        log = self.state / "logs" / "bootstrap.log"
        child = cdk.bootstrap(ACCOUNT, REGION, log=log, env=self._cli_environment(), cwd=self.state)
        self._bootstrap = self._children.enter_context(child)

    def _await_bootstrap(self) -> None:
        if self._bootstrap:
            self._finish(self._bootstrap, "bootstrapping")
            self._bootstrap = None

    def _deploy(self, stacks: list[cdk.DeployableStack]) -> None:
        log, outputs = self.state / "logs" / "deploy.log", self.state / "outputs.json"
        log.unlink(missing_ok=True)
        env = self._cli_environment()
        child = cdk.deploy(self.state / "cdk.out", outputs, log=log, env=env, cwd=self.state)
        self._finish(
            child,
            f"deploying {', '.join(stack.id for stack in stacks)}",
            detail=lambda: cdk.last_event(log),
            why=lambda: failure.of_deployment(self.client("cloudformation"), stacks),
        )
        self.stacks |= {stack.id: stack for stack in stacks}
        found: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.exists() else {}
        self.outputs |= {stack.id: found.get(stack.name, {}) for stack in stacks}

    def _finish(
        self, child: Child, what: str, detail: Callable[[], str] = str, why: Callable[[], str | None] | None = None
    ) -> None:
        """Wait for a CDK command, watching the emulator meanwhile.

        Args:
            child: the running command.
            what: what it does, for people.
            detail: how far it is.
            why: the reason of its failure; without one, or when it knows none, what it said last.
        """
        with self._progress.phase(what, detail), child:
            until = time.monotonic() + CDK_SECONDS
            while (status := child.wait(0.25)) is None:
                self.check_alive()
                if time.monotonic() > until:
                    raise LocalCloudError(f"{what} did not end within {CDK_SECONDS:.0f} s; see {child.log}")
            if status != 0:
                self.check_alive()
                reason = (why and why()) or failure.of_command(child)
                raise LocalCloudError(f"{what} failed: {reason}; the whole log: {child.log}")

    def _cli_environment(self) -> dict[str, str]:
        base = {"PATH": cdk.clean_environment()["PATH"], "HOME": str(self.state / "home")}
        base["TMPDIR"] = str(self.state / "tmp")
        images = {"CDK_DOCKER": str(cdk.DOCKER), "IMAGES_LOG": str(self.state / "logs" / "images.log")}
        return base | cdk.QUIET | images | self.environment
