"""A VPC's CIDR block can be asked for in a template.

Without this fix the emulator has no attribute `CidrBlock` of a VPC, and a stack whose security group lets the VPC in
cannot be made.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the VPC's handlers."""
    ec2 = need("services.ec2", "_vpcs")
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    handler = handlers["AWS::EC2::VPC"]

    def told(made: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
        identity, attributes = made
        return identity, attributes | {"CidrBlock": str(ec2._vpcs[identity]["CidrBlock"])}

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        return told(handler["create"](logical_id, props, stack_name))

    def update(identity: str, old: Any, new: Any, stack_name: str, logical_id: str | None = None) -> Any:
        return told(handler["update"](identity, old, new, stack_name, logical_id))

    handlers["AWS::EC2::VPC"] = handler | {"create": create, "update": update}
