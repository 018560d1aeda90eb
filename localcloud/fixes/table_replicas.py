"""A global table of a template has its replicas.

Without this fix the emulator's CloudFormation drops `Replicas` of AWS::DynamoDB::GlobalTable: the table is in one
region. Its DynamoDB itself replicates, both ways, once it is told to.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the table's handlers: after each change the replicas are those of the template."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    dynamodb = need("services.dynamodb", "_apply_replica_updates", "_replica_group", "_tables", "get_region")
    handler = handlers["AWS::DynamoDB::GlobalTable"]

    def replicate(name: str, wanted: set[str]) -> None:
        table = dynamodb._tables[name]
        home = dynamodb.get_region()
        present = set(dynamodb._replica_group(table)) - {home}
        wanted = wanted - {home}
        updates = [{"Create": {"RegionName": region}} for region in sorted(wanted - present)]
        updates += [{"Delete": {"RegionName": region}} for region in sorted(present - wanted)]
        refusal = dynamodb._apply_replica_updates(name, table, updates) if updates else None
        if refusal:
            message = f"Replicas: {refusal[2]!r}"
            raise ValueError(message)

    def regions(props: dict[str, Any]) -> set[str]:
        return {replica["Region"] for replica in props.get("Replicas", [])}

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        name, attributes = handler["create"](logical_id, props, stack_name)
        replicate(name, regions(props))
        return name, attributes

    def update(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        found = handler["update"](name, old, new, stack_name)
        replicate(found[0] if isinstance(found, tuple) else name, regions(new))
        return found

    def delete(name: str, props: dict[str, Any]) -> None:
        if name in dynamodb._tables:
            replicate(name, set())
        handler["delete"](name, props)

    handlers["AWS::DynamoDB::GlobalTable"] = handler | {"create": create, "update": update, "delete": delete}
