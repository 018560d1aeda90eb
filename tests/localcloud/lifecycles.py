"""Which test proves the life of a resource type that the local cloud adds, and that it does.

`@pytest.mark.lifecycle("AWS::EC2::EIP")` says that a test makes such a resource, reads it back, changes it, reads it,
lets it go, and reads that it is gone; `watch` sees whether it did, `proven` lists what is claimed.
"""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud import probes

Event = tuple[str, str]
"""What happened, and to which resource type; of what is read, the service that was asked."""
LIFE = ("made", "read", "changed", "read", "gone", "read")
_READS = ("Describe", "Get", "List")


def missing(events: list[Event], resource_type: str, kind: str) -> str | None:
    """The first step of a type's life that did not happen in its turn; None when all did.

    Args:
        events: what happened.
        resource_type: whose life.
        kind: `adapter`, or `recorded` and so known to Cloud Control alone.
    """
    service = "cloudcontrol" if kind == "recorded" else resource_type.split("::")[1].lower()
    steps = list(LIFE)
    for what, name in events:
        if steps and what == steps[0] and name == (service if what == "read" else resource_type):
            steps.pop(0)
    return f"{resource_type} is not {steps[0]} ({' - '.join(LIFE[: len(LIFE) - len(steps) + 1])})" if steps else None


def watch(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What happens from now on, as long as the patches last."""
    events: list[Event] = []
    stacks: list[Mapping[str, Any]] = []
    deploy, update, destroy, client = probes.deploy, probes.update, probes.destroy, LocalCloud.client

    def deployed(cloud: LocalCloud, resources: dict[str, Any], **more: Any) -> dict[str, str]:
        answer = deploy(cloud, resources, **more)
        stacks.append(resources)
        events.extend(_differences({}, resources))
        return answer

    def updated(cloud: LocalCloud, resources: dict[str, Any], **more: Any) -> dict[str, str]:
        answer = update(cloud, resources, **more)
        events.extend(_differences(stacks[-1], resources))
        stacks[-1] = resources
        return answer

    def destroyed(cloud: LocalCloud) -> None:
        destroy(cloud)
        events.extend(_differences(stacks.pop(), {}))

    def asking(cloud: LocalCloud, service: str) -> Any:
        made = client(cloud, service)
        made.meta.events.register("provide-client-params", _noting(events, service))
        return made

    for name, one in (("deploy", deployed), ("update", updated), ("destroy", destroyed)):
        monkeypatch.setattr(probes, name, one)
    monkeypatch.setattr(LocalCloud, "client", asking)
    return events


def proven(folder: Path = Path(__file__).parent) -> set[str]:
    """The types whose life a test says that it proves."""
    return {one for file in folder.glob("test_*.py") for one in claims(file.read_text(encoding="utf-8"))}


def claims(source: str) -> set[str]:
    """The types that the marks in a test's source name."""
    calls = (
        mark
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.lifecycle"
    )
    return {ast.literal_eval(argument) for call in calls for argument in call.args}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    gone = [("gone", one["Type"]) for name, one in before.items() if name not in after]
    made = [("made", one["Type"]) for name, one in after.items() if name not in before]
    both = [(before[name], one) for name, one in after.items() if name in before]
    return [*gone, *made, *(("changed", new["Type"]) for old, new in both if old != new)]


def _noting(events: list[Event], service: str) -> Callable[..., None]:
    def note(event_name: str, **_more: Any) -> None:
        if event_name.rpartition(".")[2].startswith(_READS):
            events.append(("read", service))

    return note
