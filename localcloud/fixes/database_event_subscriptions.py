"""RDS tells a topic of what happens to a DB instance.

Without this fix the emulator has no event subscriptions: CreateEventSubscription is an unknown action, and what
happens to a database is found by DescribeEvents alone.
"""

import datetime as dt
import json
from typing import Any
from xml.sax.saxutils import escape

from localcloud.fixes import _database_events as events
from localcloud.internals import need

Parameters = dict[str, Any]
Subscription = dict[str, Any]
SERVICE = "events.rds.amazonaws.com"
_IDS = {
    "DB instance created": "0005",
    "DB instance restarted": "0006",
    "Multi-AZ instance failover started.": "0013",
    "Multi-AZ instance failover completed": "0049",
    "Finished DB Instance backup": "0002",
    "DB instance stopped": "0087",
    "DB instance started": "0088",
}
"""Amazon RDS user guide, "Amazon RDS event categories and event messages"."""
_subscriptions: dict[tuple[str, str, str], Subscription] = {}
"""By account, region and name."""


def apply() -> None:
    """Add the actions, and listen to events."""
    rds = need("services.rds", "_ACTION_MAP", "_p", "_parse_member_list", "_xml", "_error", "get_account_id")
    need("services.rds", "get_region", "_format_time")
    api = _Api(rds)
    for name in ("Create", "Modify", "Delete"):
        rds._ACTION_MAP[f"{name}EventSubscription"] = getattr(api, name.lower())
    rds._ACTION_MAP["DescribeEventSubscriptions"] = api.describe
    events.listeners.append(_tell)


class _Api:
    def __init__(self, rds: Any) -> None:
        self._rds = rds

    def create(self, p: Parameters) -> Any:
        """CreateEventSubscription."""
        key = self._key(p)
        if key in _subscriptions:
            return self._rds._error("SubscriptionAlreadyExist", f"Event subscription {key[2]} already exists.", 400)
        topics = need("services.sns", "_topic_by_arn_any_scope")
        topic = self._get(p, "SnsTopicArn")
        if topics._topic_by_arn_any_scope(topic) is None:
            return self._rds._error("SNSTopicArnNotFound", f"SNS topic {topic} does not exist", 404)
        account, region, name = key
        _subscriptions[key] = {
            "CustSubscriptionId": name,
            "CustomerAwsId": account,
            "EventSubscriptionArn": f"arn:aws:rds:{region}:{account}:es:{name}",
            "SnsTopicArn": topic,
            "Status": "active",
            "Enabled": True,
            "SourceType": "",
            "SourceIdsList": self._rds._parse_member_list(p, "SourceIds"),
            "EventCategoriesList": [],
        }
        return self._changed("Create", _subscriptions[key], p)

    def modify(self, p: Parameters) -> Any:
        """ModifyEventSubscription."""
        found = _subscriptions.get(self._key(p))
        return self._changed("Modify", found, p) if found else self._missing(p)

    def delete(self, p: Parameters) -> Any:
        """DeleteEventSubscription."""
        found = _subscriptions.pop(self._key(p), None)
        return self._told("Delete", found) if found else self._missing(p)

    def describe(self, p: Parameters) -> Any:
        """DescribeEventSubscriptions."""
        account, region, name = self._key(p)
        if name and (account, region, name) not in _subscriptions:
            return self._missing(p)
        mine = [each for key, each in _subscriptions.items() if key[:2] == (account, region) and name in {"", key[2]}]
        listed = "".join(f"<EventSubscription>{_xml(each)}</EventSubscription>" for each in mine)
        body = f"<EventSubscriptionsList>{listed}</EventSubscriptionsList>"
        result = f"<DescribeEventSubscriptionsResult>{body}</DescribeEventSubscriptionsResult>"
        return self._rds._xml(200, "DescribeEventSubscriptionsResponse", result)

    def _changed(self, action: str, found: Subscription, p: Parameters) -> Any:
        if enabled := self._get(p, "Enabled"):
            found["Enabled"] = enabled == "true"
        for name in ("SnsTopicArn", "SourceType"):
            found[name] = self._get(p, name) or found[name]
        if categories := self._rds._parse_member_list(p, "EventCategories"):
            found["EventCategoriesList"] = categories
        return self._told(action, found)

    def _told(self, action: str, found: Subscription) -> Any:
        name = f"{action}EventSubscription"
        result = f"<{name}Result><EventSubscription>{_xml(found)}</EventSubscription></{name}Result>"
        return self._rds._xml(200, f"{name}Response", result)

    def _missing(self, p: Parameters) -> Any:
        name = self._get(p, "SubscriptionName")
        return self._rds._error("SubscriptionNotFound", f"Subscription {name} not found.", 404)

    def _key(self, p: Parameters) -> tuple[str, str, str]:
        return self._rds.get_account_id(), self._rds.get_region(), self._get(p, "SubscriptionName")

    def _get(self, p: Parameters, name: str) -> str:
        return str(self._rds._p(p, name))


def _tell(event: dict[str, Any]) -> None:
    """Tell every topic whose subscription wants an event, and whose policy and key let RDS."""
    sns = need("services.sns", "publish_internal", "topic_policy_allows")
    region, account = event["SourceArn"].split(":")[3:5]
    for (owner, where, _name), each in list(_subscriptions.items()):
        if (owner, where) != (account, region) or not _wants(each, event):
            continue
        if sns.topic_policy_allows(each["SnsTopicArn"], SERVICE, event["SourceArn"], account):
            sns.publish_internal(each["SnsTopicArn"], _message(event, region), "RDS Notification Message")


def _wants(subscription: Subscription, event: dict[str, Any]) -> bool:
    categories, sources = set(subscription["EventCategoriesList"]), subscription["SourceIdsList"]
    return (
        subscription["Enabled"]
        and subscription["SourceType"] in {"", event["SourceType"]}
        and (not sources or event["SourceIdentifier"] in sources)
        and (not categories or bool(categories & set(event["EventCategories"])))
    )


def _message(event: dict[str, Any], region: str) -> str:
    """As "Using AWS Lambda with Amazon RDS" of the Lambda developer guide shows it."""
    when = dt.datetime.fromtimestamp(event["Date"], dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    source, documents = event["SourceIdentifier"], "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide"
    return json.dumps({
        "Event Source": event["SourceType"],
        "Event Time": when,
        "Identifier Link": f"https://console.aws.amazon.com/rds/home?region={region}#dbinstance:id={source}",
        "Source ID": source,
        "Source ARN": event["SourceArn"],
        "Event ID": f"{documents}/USER_Events.html#RDS-EVENT-{_IDS.get(event['Message'], '0000')}",
        "Event Message": event["Message"],
    })  # fmt: skip


def _xml(found: Subscription) -> str:
    members = {"SourceIdsList": "SourceId", "EventCategoriesList": "EventCategory"}
    text = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in found.items() if name not in members)
    for name, member in members.items():
        text += f"<{name}>{''.join(f'<{member}>{_text(each)}</{member}>' for each in found[name])}</{name}>"
    return text


def _text(value: Any) -> str:
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
