"""Capacity providers of ECS and what clusters take of them: the emulator's API has both, its CloudFormation neither."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localcloud.fixes.task_definitions import spell
from localcloud.internals import need

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

_OWN = ("FARGATE", "FARGATE_SPOT")


def register(registry: Registry) -> None:
    """Add the types."""
    for resource_type, kind in (
        ("AWS::ECS::CapacityProvider", CapacityProvider),
        ("AWS::ECS::ClusterCapacityProviderAssociations", Associations),
    ):
        registry._add(resource_type, "adapter", kind.create, kind.update, kind.delete)


class CapacityProvider:
    """AWS::ECS::CapacityProvider; Ref is its name."""

    @staticmethod
    def create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
        """CreateCapacityProvider."""
        physical_name = need("services.cloudformation.provisioners", "_physical_name")._physical_name
        name = props.get("Name") or physical_name(stack_name, logical_id)
        asked = {"name": name, **spell({each: props[each] for each in _GIVEN if each in props})}
        _call("_create_capacity_provider", asked)
        return name, {}

    @staticmethod
    def update(name: str, old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, dict[str, str]]:
        """UpdateCapacityProvider; another name is another one."""
        if old.get("Name") != new.get("Name"):
            CapacityProvider.delete(name, old)
            return CapacityProvider.create(logical_id, new, stack_name)
        _call("_update_capacity_provider", {"name": name, **spell({_GIVEN[0]: new.get(_GIVEN[0], {})})})
        return name, {}

    @staticmethod
    def delete(name: str, _props: Props) -> None:
        """DeleteCapacityProvider."""
        _call("_delete_capacity_provider", {"capacityProvider": name})


_GIVEN = ("AutoScalingGroupProvider", "Tags")


class Associations:
    """AWS::ECS::ClusterCapacityProviderAssociations; Ref is the cluster."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
        """PutClusterCapacityProviders, for providers that there are."""
        _put(props["Cluster"], props)
        return props["Cluster"], {}

    @staticmethod
    def update(cluster: str, old: Props, new: Props, _stack_name: str, _logical_id: str) -> tuple[str, dict[str, str]]:
        """The same again; another cluster gets them instead."""
        if new["Cluster"] != cluster:
            Associations.delete(cluster, old)
        _put(new["Cluster"], new)
        return new["Cluster"], {}

    @staticmethod
    def delete(cluster: str, _props: Props) -> None:
        """PutClusterCapacityProviders with none."""
        _put(cluster, {})


def _put(cluster: str, props: Props) -> None:
    known = need("services.ecs", "_capacity_providers")._capacity_providers
    for name in props.get("CapacityProviders", []):
        if name not in _OWN and name not in known:
            message = f"InvalidParameterException: The specified capacity provider {name} was not found."
            raise ValueError(message)
    asked = {name: props.get(name, []) for name in ("CapacityProviders", "DefaultCapacityProviderStrategy")}
    _call("_put_cluster_capacity_providers", {"cluster": cluster, **spell(asked)})


def _call(name: str, asked: Any) -> None:
    """Call a handler of the emulator's ECS; ValueError when it refuses."""
    status, _headers, body = getattr(need("services.ecs", name), name)(asked)
    if status >= 300:  # noqa: PLR2004
        answer = json.loads(body)
        message = f"{answer.get('__type')}: {answer.get('message')}"
        raise ValueError(message)
