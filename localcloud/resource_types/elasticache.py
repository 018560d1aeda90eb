"""Serverless caches of ElastiCache: the emulator's API has them, its CloudFormation does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.internals import need
from localcloud.off_loop import off_loop

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry

_TYPE = "AWS::ElastiCache::ServerlessCache"
# The type's registry schema: createOnlyProperties.
_CREATE_ONLY = (
    *("ServerlessCacheName", "KmsKeyId", "SnapshotArnsToRestore", "SubnetIds", "NetworkType", "ConnectionType"),
)


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        _TYPE,
        service="elasticache",
        create=lambda name, props: ("CreateServerlessCache", _query({"ServerlessCacheName": name} | props)),
        describe=lambda name, _props: ("DescribeServerlessCaches", {"ServerlessCacheName": name}),
        update=_update,
        delete=lambda name, _props: ("DeleteServerlessCache", {"ServerlessCacheName": name}),
        physical_id=lambda answer: answer.findtext(".//ServerlessCacheName", ""),
        attributes={
            "ARN": "ARN",
            "CreateTime": "CreateTime",
            "Status": "Status",
            "FullEngineVersion": "FullEngineVersion",
            "Endpoint.Address": "Endpoint/Address",
            "Endpoint.Port": "Endpoint/Port",
            "ReaderEndpoint.Address": "ReaderEndpoint/Address",
            "ReaderEndpoint.Port": "ReaderEndpoint/Port",
        },
        create_only=_CREATE_ONLY,
    )
    off_loop(_TYPE)


def _update(name: str, old: Props, new: Props) -> list[Call]:
    changed = {key: value for key, value in new.items() if value != old.get(key) and key != "Tags"}
    if "UserGroupId" in old and "UserGroupId" not in new:
        changed["RemoveUserGroup"] = True
    calls: list[Call] = []
    if changed:
        calls.append(("ModifyServerlessCache", _query({"ServerlessCacheName": name} | changed)))
    arn = need("services.elasticache", "_arn_serverless_cache")._arn_serverless_cache(name)
    tags, before = ({each["Key"]: each for each in props.get("Tags", [])} for props in (new, old))
    if gone := [key for key in before if key not in tags]:
        calls.append(("RemoveTagsFromResource", {"ResourceName": arn} | _query({"TagKeys": gone})))
    if set_ := [each for key, each in tags.items() if before.get(key) != each]:
        calls.append(("AddTagsToResource", {"ResourceName": arn} | _query({"Tags": set_})))
    return calls


def _query(props: dict[str, Any]) -> dict[str, str]:
    made: dict[str, str] = need("services.cloudformation.provisioners", "_ec_query")._ec_query(props)
    return made
