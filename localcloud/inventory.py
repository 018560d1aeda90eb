"""Sorts the resources of templates by who makes them here: native, adapter, recorded, unknown."""

from collections import Counter
from collections.abc import Iterable

from localcloud.cdk import DeployableStack
from localcloud.emulator import Ready
from localcloud.errors import LocalCloudError


def kind(resource_type: str, ready: Ready) -> str:
    """`native` (the emulator's CloudFormation), `adapter` or `recorded` (our registry), or `unknown`."""
    if resource_type in ready.native or resource_type.startswith("Custom::"):
        return "native"
    return ready.added.get(resource_type, "unknown")


def count(stack: DeployableStack, ready: Ready) -> dict[str, int]:
    """How many resources of a stack are `native`, `adapter` and `recorded`."""
    found = Counter(kind(resource_type, ready) for resource_type in stack.types)
    return {name: found[name] for name in ("native", "adapter", "recorded")}


def recorded(stacks: Iterable[DeployableStack], ready: Ready) -> list[str]:
    """The types that are only written down here."""
    return sorted({each for stack in stacks for each in stack.types if kind(each, ready) == "recorded"})


def refuse_unknown(stacks: Iterable[DeployableStack], ready: Ready) -> None:
    """Raise LocalCloudError when a template has types that nothing here knows, naming each with its stack."""
    unknown = sorted(
        {f"{each} ({stack.id})" for stack in stacks for each in stack.types if kind(each, ready) == "unknown"}
    )
    if unknown:
        raise LocalCloudError(
            f"the local cloud does not know {len(unknown)} resource type(s): {', '.join(unknown)}; "
            "add them in localcloud/resource_types (adapter, relation or recorded)"
        )
