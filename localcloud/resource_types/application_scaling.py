"""Application Auto Scaling: the emulator has none. Targets and policies are recorded.

One thing does happen: an ECS service with fewer tasks than its target's minimum is brought up to it, as AWS does when
the target is registered. Later nothing scales.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localcloud.internals import need

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

_TARGET, _POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"


def register(registry: Registry) -> None:
    """Add the types."""
    registry._add(_TARGET, "recorded", _create_target, _update_target, _delete_target)
    registry.recorded(
        _POLICY,
        attributes=lambda name, _props: {
            "Arn": f"arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:{name}:policyName/{name}"
        },
    )


def _create_target(_logical_id: str, props: Props, _stack_name: str) -> tuple[str, dict[str, str]]:
    # Ref, as the type's page says: resource id, dimension and namespace.
    name = "|".join(props[part] for part in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    _keep(name, props)
    _bring_up(props)
    return name, {"Id": name}


def _update_target(name: str, old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, dict[str, str]]:
    made = _create_target(logical_id, new, stack_name)
    if made[0] != name:
        _delete_target(name, old)
    return made


def _delete_target(name: str, _props: Props) -> None:
    store = _store()
    store._resources.pop(store._resource_key(_TARGET, name), None)


def _keep(name: str, props: Props) -> None:
    store, entry = _store(), {"TypeName": _TARGET, "Identifier": name, "Properties": json.dumps(props)}
    store._resources[store._resource_key(_TARGET, name)] = entry


def _store() -> Any:
    return need("services.cloudcontrol", "_resources", "_resource_key")


def _bring_up(props: Props) -> None:
    if props["ScalableDimension"] != "ecs:service:DesiredCount":
        return
    ecs = need("services.ecs", "_services", "_update_service")
    _, cluster, service = props["ResourceId"].split("/")
    found = ecs._services.get(f"{cluster}/{service}")
    least = int(props["MinCapacity"])
    if found and found["desiredCount"] < least:
        ecs._update_service({"cluster": cluster, "service": service, "desiredCount": least})
