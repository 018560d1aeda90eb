"""The names that lead into this cloud: those of AWS's own data planes, and what is recorded in Route 53."""

import re
import threading
import time
from typing import Any

_OWN = re.compile(
    r"[a-z0-9.-]+\.elb\.amazonaws\.com|[a-z0-9]+\.cloudfront\.net|[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com"
)
_AGAIN = 1.0
"""Seconds after which an unknown name is looked up anew: a stack may have been deployed meanwhile."""


class Names:
    """Knows the names.

    Args:
        route53: a client of this cloud.
    """

    def __init__(self, route53: Any) -> None:
        self._route53 = route53
        self._recorded: set[str] = set()
        self._asked = 0.0
        self._asking = threading.Lock()

    def __contains__(self, name: object) -> bool:
        plain = str(name).rstrip(".").lower()
        if _OWN.fullmatch(plain):
            return True
        with self._asking:
            if plain not in self._recorded and time.monotonic() - self._asked > _AGAIN:
                self._recorded, self._asked = self._read(), time.monotonic()
            return plain in self._recorded

    def _read(self) -> set[str]:
        zones = self._route53.get_paginator("list_hosted_zones").paginate()
        found = set()
        for zone in (zone for page in zones for zone in page["HostedZones"]):
            records = self._route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
            found |= {
                record["Name"].rstrip(".").lower()
                for page in records
                for record in page["ResourceRecordSets"]
                if record["Type"] in {"A", "AAAA", "CNAME"}
            }
        return found
