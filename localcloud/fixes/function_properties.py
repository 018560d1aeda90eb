"""Functions of a template keep their reserved concurrency and their dead-letter queue.

Without this fix the emulator's CloudFormation drops both properties of AWS::Lambda::Function.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the function's handlers."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    functions = need("services.lambda_svc", "_functions")
    handler = handlers["AWS::Lambda::Function"]

    def keep(name: str, props: dict[str, Any]) -> None:
        record = functions._functions[name]
        reserved = props.get("ReservedConcurrentExecutions")
        record["concurrency"] = None if reserved is None else int(reserved)
        record["config"].pop("DeadLetterConfig", None)
        if props.get("DeadLetterConfig"):
            record["config"]["DeadLetterConfig"] = props["DeadLetterConfig"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = handler["create"](logical_id, props, stack_name)
        keep(made[0], props)
        return made

    def update(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str = "") -> Any:
        made = handler["update"](name, old, new, stack_name, logical_id or None)
        keep(made[0], new)
        return made

    handlers["AWS::Lambda::Function"] = handler | {"create": create, "update": update}
