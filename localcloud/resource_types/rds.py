"""Event subscriptions of RDS: localcloud/fixes/database_event_subscriptions.py adds their API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.internals import need
from localcloud.off_loop import off_loop

if TYPE_CHECKING:
    from localcloud.registry import Call, Props, Registry

_TYPE = "AWS::RDS::EventSubscription"


def register(registry: Registry) -> None:
    """Add the types."""
    registry.adapter(
        _TYPE,
        service="rds",
        create=lambda name, props: ("CreateEventSubscription", _query({"SubscriptionName": name} | props)),
        update=_update,
        delete=lambda name, _props: ("DeleteEventSubscription", {"SubscriptionName": name}),
        physical_id=lambda answer: answer.findtext(".//CustSubscriptionId", ""),
        # The type's registry schema; source ids are added and removed by calls of their own.
        create_only=("SubscriptionName", "SnsTopicArn", "SourceIds"),
    )
    off_loop(_TYPE)


def _update(name: str, _old: Props, new: Props) -> list[Call]:
    kept = {key: value for key, value in new.items() if key not in {"SourceIds", "SnsTopicArn", "Tags"}}
    return [("ModifyEventSubscription", _query({"SubscriptionName": name} | kept))]


def _query(props: Props) -> dict[str, str]:
    made: dict[str, str] = need("services.cloudformation.provisioners", "_ec_query")._ec_query(props)
    return made
