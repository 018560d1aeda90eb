"""A security group's rule keeps the prefix list that it admits.

Without this fix the emulator's AuthorizeSecurityGroupIngress and -Egress drop prefix lists, and keep a rule that admits
nobody.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the reading of a call's permissions."""
    ec2 = need("services.ec2", "_parse_ip_permissions", "_p")
    parse = ec2._parse_ip_permissions

    def parsed(params: dict[str, list[str]], prefix: str) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = parse(params, prefix)
        for index, rule in enumerate(rules, 1):
            number = 1
            while identity := ec2._p(params, f"{prefix}.{index}.PrefixListIds.{number}.PrefixListId"):
                said = ec2._p(params, f"{prefix}.{index}.PrefixListIds.{number}.Description")
                rule["PrefixListIds"].append({"PrefixListId": identity} | ({"Description": said} if said else {}))
                number += 1
        return rules

    vars(ec2)["_parse_ip_permissions"] = parsed
