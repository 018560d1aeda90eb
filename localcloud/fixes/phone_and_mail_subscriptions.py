"""SMS and e-mail subscriptions of a topic receive: texts are found with the direct ones, mails with those of SES.

Without this fix the emulator only logs that it would have delivered. Texts: /_ministack/sns/sms-messages; mails:
/_ministack/ses/messages.
"""

import time
from typing import Any

from localcloud.internals import need

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"


def apply() -> None:
    """Wrap the topic's fan-out."""
    sns = need("services.sns", "_fanout", "_matches_filter_policy", "_resolve_message_for_protocol", "_sms_log_for")
    mail = need("services.ses", "_sent_emails_list")
    responses = need("core.responses", "request_scope", "new_uuid")
    need("services.sns", "_topic_by_arn_any_scope")
    fanout = sns._fanout

    def text(subscription: dict[str, Any], message: str, message_id: str) -> None:
        sns._sms_log_for(subscription["endpoint"]).append({
            "PhoneNumber": subscription["endpoint"],
            "TopicArn": subscription["topic_arn"],
            "SubscriptionArn": subscription["arn"],
            "MessageId": message_id,
            "Message": message,
        })  # fmt: skip

    def letter(subscription: dict[str, Any], message: str, subject: str) -> None:
        mail._sent_emails_list().append({
            "MessageId": responses.new_uuid(),
            "Source": SENDER,
            "To": [subscription["endpoint"]],
            "Subject": subject or "AWS Notification Message",
            "BodyText": message,
            "Timestamp": time.time(),
            "Type": "SNS",
        })  # fmt: skip

    def delivered(topic_arn: str, message_id: str, message: str, subject: str = "", *rest: Any, **more: Any) -> None:
        fanout(topic_arn, message_id, message, subject, *rest, **more)
        structure, attributes = (*rest, "", None)[:2]
        topic = sns._topic_by_arn_any_scope(topic_arn)
        region, account = topic_arn.split(":")[3:5]
        for subscription in topic["subscriptions"] if topic else []:
            protocol = subscription["protocol"]
            if protocol not in {"sms", "email", "email-json"}:
                continue
            told = sns._resolve_message_for_protocol(message, structure, protocol)
            if not sns._matches_filter_policy(subscription, attributes or {}, told):
                continue
            with responses.request_scope(account, region):
                if protocol == "sms":
                    text(subscription, told, message_id)
                else:
                    letter(subscription, told, subject)

    vars(sns)["_fanout"] = delivered
