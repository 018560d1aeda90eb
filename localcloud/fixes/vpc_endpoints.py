"""Gateway endpoints are seen in route tables and lead to public addresses; interface endpoints tell their groups.

Without this fix a route table says nothing of the endpoints that were put into it; the prefix lists of AWS's services
hold addresses of RFC 6598, which are no more public than 10.0.0.0/8; and an endpoint tells neither its security groups
nor whether it has the service's own name, and is told of whatever VPC was asked for.
"""

import hashlib
from ipaddress import ip_network
from typing import Any

from localcloud.internals import need

# Where the addresses of S3 and many other services are; a list gets one network of it, named by its hash.
_OF_AWS = ip_network("52.0.0.0/8")
_MASK = 24


def apply() -> None:
    """Wrap what route tables and endpoints look like, and where a service's addresses come from."""
    ec2 = need(
        "services.ec2",
        "_ACTION_MAP",
        "_parse_filters",
        "_vpce_fields_xml",
        "_rtb_fields_xml",
        "_vpc_endpoints",
        "_aws_pl_id_from_name",
        "_aws_prefix_list_to_cidr",
        "_AWS_PL_IPV4_PREFIX_LEN",
    )
    fields, cidr = ec2._rtb_fields_xml, ec2._aws_prefix_list_to_cidr

    def with_endpoints(table: dict[str, Any], *rest: Any, **more: Any) -> Any:
        routes = [
            {
                "DestinationPrefixListId": ec2._aws_pl_id_from_name(one["ServiceName"]),
                "GatewayId": one["VpcEndpointId"],
                "State": "active",
                "Origin": "CreateRoute",
            }
            for one in ec2._vpc_endpoints.values()
            if one["VpcEndpointType"] == "Gateway" and table["RouteTableId"] in one.get("RouteTableIds", [])
        ]
        return fields({**table, "Routes": [*table.get("Routes", []), *routes]}, *rest, **more)

    def public(name: str, ipv6: bool = False) -> str:
        if ipv6:
            return str(cidr(name, ipv6=True))
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big")
        return f"{_OF_AWS.network_address + (number << (32 - _MASK))}/{_MASK}"

    vars(ec2).update(_rtb_fields_xml=with_endpoints, _aws_prefix_list_to_cidr=public)
    _tell_more(ec2)


def _tell_more(ec2: Any) -> None:
    fields, describe = ec2._vpce_fields_xml, ec2._ACTION_MAP["DescribeVpcEndpoints"]

    def with_groups(endpoint: dict[str, Any], tag: str = "item") -> str:
        groups = "".join(f"<item><groupId>{one}</groupId></item>" for one in endpoint.get("SecurityGroupIds", []))
        named = str(endpoint.get("PrivateDnsEnabled", False)).lower()
        more = f"<groupSet>{groups}</groupSet><privateDnsEnabled>{named}</privateDnsEnabled>"
        return str(fields(endpoint, tag)).removesuffix(f"</{tag}>") + f"{more}</{tag}>"

    def of_vpc(params: dict[str, list[str]]) -> Any:
        vpcs = ec2._parse_filters(params).get("vpc-id")
        if not vpcs:
            return describe(params)
        found = [one["VpcEndpointId"] for one in ec2._vpc_endpoints.values() if one["VpcId"] in vpcs]
        asked = {f"VpcEndpointId.{number}": [one] for number, one in enumerate(found or ["none"], 1)}
        return describe({**params, **asked})

    vars(ec2)["_vpce_fields_xml"] = with_groups
    ec2._ACTION_MAP["DescribeVpcEndpoints"] = of_vpc
