"""An Auto Scaling group keeps the target groups that its instances belong to, and says which.

Without this fix the emulator drops TargetGroupARNs, in its CloudFormation as in its API, and answers
AttachLoadBalancerTargetGroups with InvalidAction.
"""

from collections.abc import Callable
from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the group's handlers and three calls of the API, and add the two about target groups."""
    scaling = need("services.autoscaling", "_ACTION_MAP", "_asgs", "_p", "_parse_member_list", "_xml", "_error")
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    handler = handlers["AWS::AutoScaling::AutoScalingGroup"]
    create = scaling._ACTION_MAP["CreateAutoScalingGroup"]
    describe = scaling._ACTION_MAP["DescribeAutoScalingGroups"]

    def keep(made: Any, props: dict[str, Any]) -> Any:
        name = made[0] if isinstance(made, tuple) else made
        scaling._asgs[name]["TargetGroupARNs"] = list(props.get("TargetGroupARNs") or [])
        return made

    def stack_create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        return keep(handler["create"](logical_id, props, stack_name), props)

    def stack_update(name: str, old: Any, new: dict[str, Any], stack_name: str, logical_id: str = "") -> Any:
        return keep(handler["update"](name, old, new, stack_name, logical_id or None), new)

    def created(params: Any) -> Any:
        answer, name = create(params), scaling._p(params, "AutoScalingGroupName")
        if answer[0] < 300:  # noqa: PLR2004
            scaling._asgs[name]["TargetGroupARNs"] = scaling._parse_member_list(params, "TargetGroupARNs")
        return answer

    def described(params: Any) -> Any:
        status, headers, body = describe(params)
        for name, found in list(scaling._asgs.items()):
            arns = "".join(f"<member>{arn}</member>" for arn in found.get("TargetGroupARNs", []))
            begin = f"<AutoScalingGroupName>{name}</AutoScalingGroupName><AutoScalingGroupARN>".encode()
            body = body.replace(begin, f"<TargetGroupARNs>{arns}</TargetGroupARNs>".encode() + begin)
        return status, headers, body

    handlers["AWS::AutoScaling::AutoScalingGroup"] = handler | {"create": stack_create, "update": stack_update}
    scaling._ACTION_MAP.update(
        CreateAutoScalingGroup=created,
        DescribeAutoScalingGroups=described,
        AttachLoadBalancerTargetGroups=_changed(scaling, "Attach"),
        DetachLoadBalancerTargetGroups=_changed(scaling, "Detach"),
    )


def _changed(scaling: Any, verb: str) -> Callable[[Any], Any]:
    def call(params: Any) -> Any:
        found = scaling._asgs.get(scaling._p(params, "AutoScalingGroupName"))
        if not found:
            return scaling._error("ValidationError", "AutoScalingGroup name not found - null")
        given = scaling._parse_member_list(params, "TargetGroupARNs")
        kept = [arn for arn in found.get("TargetGroupARNs", []) if arn not in given]
        found["TargetGroupARNs"] = kept + (given if verb == "Attach" else [])
        result = f"<{verb}LoadBalancerTargetGroupsResult/>"
        return scaling._xml(200, f"{verb}LoadBalancerTargetGroupsResponse", result)

    return call
