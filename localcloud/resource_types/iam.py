"""Groups of IAM users and their members, and roles that belong to services of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        "AWS::IAM::Group",
        service="iam",
        create=lambda name, props: ("CreateGroup", {"GroupName": props.get("GroupName", name)}),
        delete=lambda name, _props: ("DeleteGroup", {"GroupName": name}),
        physical_id=lambda answer: answer.findtext(".//GroupName", ""),
        attributes={"Arn": "Arn"},
    )
    registry.relation(
        "AWS::IAM::UserToGroupAddition",
        service="iam",
        do=lambda props: _memberships("AddUserToGroup", props),
        undo=lambda props: _memberships("RemoveUserFromGroup", props),
    )
    registry.adapter(
        "AWS::IAM::ServiceLinkedRole",
        service="iam",
        create=lambda _name, props: (
            "CreateServiceLinkedRole",
            {name: props[name] for name in ("AWSServiceName", "CustomSuffix", "Description") if name in props},
        ),
        delete=lambda name, _props: ("DeleteServiceLinkedRole", {"RoleName": name}),
        physical_id=lambda answer: answer.findtext(".//RoleName", ""),
        attributes={"RoleName": "RoleName"},
        describe=lambda name, _props: ("GetRole", {"RoleName": name}),
        then=_describe_role,
        update=lambda name, _old, new: _describe_role(name, new),
        create_only=("AWSServiceName", "CustomSuffix"),
    )


def _memberships(action: str, props: Props) -> list[Call]:
    return [(action, {"GroupName": props["GroupName"], "UserName": user}) for user in props["Users"]]


def _describe_role(name: str, props: Props) -> list[Call]:
    return [("UpdateRoleDescription", {"RoleName": name, "Description": props.get("Description", "")})]
