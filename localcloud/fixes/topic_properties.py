"""Topics of a template keep FIFO, content-based deduplication and their encryption key.

Without this fix the emulator's CloudFormation stores only the name, display name, tags and subscriptions of an
AWS::SNS::Topic: a FIFO topic becomes a standard one.
"""

from typing import Any

from localcloud.internals import need

FLAGS = ("FifoTopic", "ContentBasedDeduplication")
TEXTS = ("KmsMasterKeyId", "FifoThroughputScope", "SignatureVersion", "TracingConfig")


def apply() -> None:
    """Wrap the topic's handlers."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    handler = handlers["AWS::SNS::Topic"]
    sns = need("services.sns", "_topics")
    physical_name = need("services.cloudformation.provisioners", "_physical_name")._physical_name

    def named(props: dict[str, Any], stack_name: str, logical_id: str) -> dict[str, Any]:
        """A FIFO topic without a name of its own gets one that ends as AWS demands."""
        if not _true(props.get("FifoTopic")) or props.get("TopicName"):
            return props
        return props | {"TopicName": physical_name(stack_name, logical_id, max_len=251) + ".fifo"}

    def keep(arn: str, props: dict[str, Any]) -> None:
        attributes = sns._topics[arn]["attributes"]
        attributes |= {name: "true" if _true(props[name]) else "false" for name in FLAGS if name in props}
        attributes |= {name: str(props[name]) for name in TEXTS if name in props}

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        props = named(props, stack_name, logical_id)
        if _true(props.get("FifoTopic")) != str(props.get("TopicName", "")).endswith(".fifo"):
            raise ValueError(
                "Invalid parameter: Topic Name: FIFO topics, and only they, have names that end with .fifo"
            )
        made = handler["create"](logical_id, props, stack_name)
        keep(made[0], props)
        return made

    def update(arn: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str = "") -> Any:
        old, new = named(old, stack_name, logical_id or arn), named(new, stack_name, logical_id or arn)
        made = handler["update"](arn, old, new, stack_name, logical_id or None)
        keep(made[0], new)
        return made

    handlers["AWS::SNS::Topic"] = handler | {"create": create, "update": update}


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
