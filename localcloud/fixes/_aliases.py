"""Where a name leads by the Route 53 records of this cloud."""

from localcloud.internals import need

HOPS = 4
"""Records in a row at most; a circle leads nowhere."""


def end_of(name: str) -> str:
    """The name at the end of the alias and CNAME records that begin at `name`; itself when it has none. Lower case."""
    found = plain(name)
    for _ in range(HOPS):
        after = _next(found)
        if after is None:
            return found
        found = after
    return plain(name)


def plain(name: str) -> str:
    """A name as records compare it: lower case, no dot at the end, and without the label that asks for IPv6 as well."""
    return name.rstrip(".").lower().removeprefix("dualstack.")


def _next(name: str) -> str | None:
    records = need("services.route53", "_records", "_zones")._records
    for zone in list(records.values()):
        for record in zone:
            if record["Name"].rstrip(".").lower() == name:
                alias = record.get("AliasTarget") or {}
                if alias.get("DNSName"):
                    return plain(alias["DNSName"])
                if record["Type"] == "CNAME" and record.get("ResourceRecords"):
                    return plain(record["ResourceRecords"][0])
    return None
