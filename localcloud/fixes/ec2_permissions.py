"""Calls of EC2's network are authorized on what they change.

Without this fix the emulator authorizes calls on network ACLs, NAT and VPN gateways and connections on `*`, so that a
role with the rights to one of them is denied.
"""

from typing import Any

from localcloud.internals import need

# Parameter -> type of the resource. Source: Service Authorization Reference, "Resource types defined by Amazon EC2".
_NAMED = {
    "NetworkAclId": "network-acl",
    "NatGatewayId": "natgateway",
    "VpnConnectionId": "vpn-connection",
    "VpnGatewayId": "vpn-gateway",
    "CustomerGatewayId": "customer-gateway",
    "FlowLogId.1": "vpc-flow-log",
    "PrefixListId": "prefix-list",
}


def apply() -> None:
    """Wrap the naming of the resource."""
    actions = need("core.iam_actions", "extract_resource_arn", "_query_param")
    extract = actions.extract_resource_arn

    def resource(service: str, *request: Any, **more: Any) -> Any:
        named = extract(service, *request, **more)
        if service != "ec2" or named != "*":
            return named
        _method, _path, _headers, _body, parameters, region, account = request
        for parameter, kind in _NAMED.items():
            identity = actions._query_param(parameters, parameter)
            if identity:
                return f"arn:aws:ec2:{region}:{account}:{kind}/{identity}"
        return named

    vars(actions)["extract_resource_arn"] = resource
