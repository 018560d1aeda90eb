"""`Ref` of a secret is its ARN.

Without this fix the emulator's CloudFormation answers the secret's name, so that policies which name the secret by its
Ref, as the CDK writes them, allow nothing.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the secret's handlers: ARN outside, the emulator's own id (the name) inside."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    secrets = need("services.secretsmanager", "_secrets")
    handler = handlers["AWS::SecretsManager::Secret"]

    def name_of(arn: str) -> str:
        return next((name for name, secret in secrets._secrets.items() if secret["ARN"] == arn), arn)

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _name, attributes = handler["create"](logical_id, props, stack_name)
        return attributes["Arn"], attributes

    def update(arn: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str = "") -> Any:
        _name, attributes = handler["update"](name_of(arn), old, new, stack_name, logical_id or None)
        return attributes["Arn"], attributes

    def delete(arn: str, props: dict[str, Any]) -> None:
        handler["delete"](name_of(arn), props)

    handlers["AWS::SecretsManager::Secret"] = handler | {"create": create, "update": update, "delete": delete}
