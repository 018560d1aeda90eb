"""Groups of IAM users and their members."""

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


def _memberships(action: str, props: Props) -> list[Call]:
    return [(action, {"GroupName": props["GroupName"], "UserName": user}) for user in props["Users"]]
