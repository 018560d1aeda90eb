"""Network ACLs keep what their rules say of ports and ICMP, and each subnet has one list.

Without this fix the emulator drops the range of ports and the type of ICMP of every rule; takes two rules of one
number; a new list does not end with the refusal of all else; a subnet has no list at all until it is given one, is
forgotten when it is given another, and leaves its list when the list is deleted.
"""

from collections.abc import Callable, Iterable
from typing import Any

from localcloud.internals import need

Params = dict[str, list[str]]
# What an entry of the API's answer is called there, and how its two values are called in a call.
_RANGES = {"PortRange": ("portRange", "From", "To"), "Icmp": ("icmpTypeCode", "Type", "Code")}
_LAST = 32767


def apply() -> None:
    """Wrap the API's actions on lists and entries."""
    ec2 = need(
        "services.ec2",
        "_ACTION_MAP",
        "_network_acls",
        "_network_acl_entry_xml",
        "_create_network_acl_entry",
        "_replace_network_acl_entry",
        "_replace_network_acl_association",
        "_subnets",
        "_vpcs",
        "_error",
        "_p",
    )
    actions, entry_xml = ec2._ACTION_MAP, ec2._network_acl_entry_xml

    def described(entry: dict[str, Any]) -> str:
        return str(entry_xml(entry)).replace("</item>", _ranges_xml(entry) + "</item>")

    vars(ec2)["_network_acl_entry_xml"] = described
    create, replace = actions["CreateNetworkAclEntry"], actions["ReplaceNetworkAclEntry"]
    actions["CreateNetworkAclEntry"] = _new(ec2, _keeping(ec2, create))
    actions["ReplaceNetworkAclEntry"] = _keeping(ec2, replace)
    actions["CreateNetworkAcl"] = _ending(ec2, actions["CreateNetworkAcl"])
    actions["DeleteNetworkAcl"] = _unused(ec2, actions["DeleteNetworkAcl"])
    actions["DescribeNetworkAcls"] = _tied(ec2, actions["DescribeNetworkAcls"])
    actions["ReplaceNetworkAclAssociation"] = _retied(ec2, actions["ReplaceNetworkAclAssociation"])


def _ranges_xml(entry: dict[str, Any]) -> str:
    return "".join(
        f"<{tag}><{first.lower()}>{entry[name][0]}</{first.lower()}><{last.lower()}>{entry[name][1]}</{last.lower()}></{tag}>"
        for name, (tag, first, last) in _RANGES.items()
        if name in entry
    )


def _entries(ec2: Any, params: Params) -> Iterable[dict[str, Any]]:
    """The entries of the list with the number and direction of a call."""
    acl = ec2._network_acls.get(ec2._p(params, "NetworkAclId")) or {"Entries": []}
    number, egress = ec2._p(params, "RuleNumber"), ec2._p(params, "Egress") == "true"
    return [one for one in acl["Entries"] if str(one["RuleNumber"]) == number and one["Egress"] == egress]


def _keeping(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        answer = handler(params)
        for entry in _entries(ec2, params):
            for name, (_tag, first, last) in _RANGES.items():
                values = [ec2._p(params, f"{name}.{one}") for one in (first, last)]
                if all(values):
                    entry[name] = tuple(map(int, values))
        return answer

    return called


def _new(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        if _entries(ec2, params):
            said = f"The network acl entry identified by {ec2._p(params, 'RuleNumber')} already exists."
            return ec2._error("NetworkAclEntryAlreadyExists", said, 400)
        return handler(params)

    return called


def _ending(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        answer = handler(params)
        for acl in ec2._network_acls.values():
            if not acl["Entries"]:
                refusal = {"RuleNumber": _LAST, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
                acl["Entries"] = [{**refusal, "Egress": egress} for egress in (False, True)]
        return answer

    return called


def _unused(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        tie_subnets(ec2)
        acl = ec2._network_acls.get(ec2._p(params, "NetworkAclId"))
        if acl and (acl["IsDefault"] or acl["Associations"]):
            said = f"The networkAcl '{acl['NetworkAclId']}' has dependencies and cannot be deleted."
            return ec2._error("DependencyViolation", said, 400)
        return handler(params)

    return called


def _tied(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        tie_subnets(ec2)
        return handler(params)

    return called


def _retied(ec2: Any, handler: Callable[[Params], Any]) -> Callable[[Params], Any]:
    def called(params: Params) -> Any:
        tie_subnets(ec2)
        wanted = ec2._p(params, "AssociationId")
        ties = [tie for acl in ec2._network_acls.values() for tie in acl["Associations"]]
        subnets = [tie["SubnetId"] for tie in ties if tie["NetworkAclAssociationId"] == wanted]
        if not subnets:
            return ec2._error("InvalidAssociationID.NotFound", f"The association ID '{wanted}' does not exist", 400)
        answer = handler(params)
        acl = ec2._network_acls.get(ec2._p(params, "NetworkAclId"))
        if acl:
            acl["Associations"][-1]["SubnetId"] = subnets[0]
        return answer

    return called


def tie_subnets(ec2: Any) -> None:
    """Each subnet of a VPC without a list gets the VPC's own; ties of subnets that are gone go."""
    acls = list(ec2._network_acls.values())
    for acl in acls:
        acl["Associations"] = [tie for tie in acl["Associations"] if tie["SubnetId"] in ec2._subnets]
    tied = {tie["SubnetId"] for acl in acls for tie in acl["Associations"]}
    own = {acl["VpcId"]: acl for acl in acls if acl["IsDefault"]}
    for identity, subnet in ec2._subnets.items():
        if identity not in tied and subnet["VpcId"] in own:
            tie = {"NetworkAclAssociationId": f"aclassoc-{identity.removeprefix('subnet-')}", "SubnetId": identity}
            own[subnet["VpcId"]]["Associations"].append(tie)
