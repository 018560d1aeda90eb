"""The gateway endpoints of S3 and DynamoDB are seen in route tables, and lead to public addresses.

Without this fix a route table says nothing of the endpoints that were put into it, and the prefix lists of AWS's
services hold addresses of RFC 6598, which are no more public than 10.0.0.0/8.
"""

import hashlib
from ipaddress import ip_network
from typing import Any

from localcloud.internals import need

# Where the addresses of S3 and many other services are; a list gets one network of it, named by its hash.
_OF_AWS = ip_network("52.0.0.0/8")
_MASK = 24


def apply() -> None:
    """Wrap what a route table looks like, and where a service's addresses come from."""
    ec2 = need(
        "services.ec2",
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
