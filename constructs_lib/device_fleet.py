"""Devices that publish over MQTT, each under its own name, into a Kinesis stream."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._alarms import alarm_when
from constructs_lib._checks import matches
from constructs_lib._object_rights import grant_objects

# The thing that the connection's certificate belongs to; nothing, hence no match, when it is not attached to one.
_THING = "${iot:Connection.Thing.ThingName}"


class DeviceFleet(Construct):
    """Devices with X.509 certificates; what they publish goes into a stream, and what cannot, into a bucket.

    Defines the policy to attach to each device's certificate and a topic rule with an error action. The policy is one
    document that means something else for each thing (policy variables, as AWS IoT recommends): with the certificate of
    thing ``t1`` a device connects as client ``t1`` and publishes to ``<topic_prefix>/t1/telemetry``, and nothing else.
    The rule passes messages on unchanged, JSON or not, with the thing's name from the topic as partition key: so
    readers know who sent a record, whatever the record says.

    Things and certificates are not made here: a device's private key has no place in a template.

    Args:
        stream: Takes the messages.
        stream_key: The stream's key, when it has one of its own.
        errors_bucket: Takes messages that could not be put into the stream, as AWS IoT describes failed actions.
        errors_prefix: Below which prefix. Default "errors/rule/".
        topic_prefix: First level of the devices' topics, 1-64 of A-Z, a-z, 0-9, "_" and "-". All devices of the account
            and region publish in one space of topics, so two fleets need two prefixes. Default "fleet".

    Attributes:
        policy: Attach it to the certificate of each device.
        rule: The topic rule.
        topic_prefix: As given.
        alarms: Alarm on messages that could not be put into the stream.

    Raises:
        ValueError: ``topic_prefix`` is not as above.

    Example:
        events, errors = kinesis.Stream(stack, "Events"), s3.Bucket(stack, "Errors")
        fleet = DeviceFleet(stack, "Fleet", stream=events, errors_bucket=errors)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream: kinesis.IStream,
        stream_key: kms.IKey | None = None,
        errors_bucket: s3.IBucket,
        errors_prefix: str = "errors/rule/",
        topic_prefix: str = "fleet",
    ) -> None:
        super().__init__(scope, construct_id)
        matches("topic_prefix", topic_prefix, "[A-Za-z0-9_-]{1,64}", "1-64 of A-Z, a-z, 0-9, '_' and '-'")
        self.topic_prefix = topic_prefix
        self.policy = iot.CfnPolicy(self, "Policy", policy_document=self._device_policy())

        role = iam.Role(self, "RuleRole", assumed_by=iam.ServicePrincipal("iot.amazonaws.com"))
        stream.grant(role, "kinesis:PutRecord")
        if stream_key:
            stream_key.grant(role, "kms:GenerateDataKey")
        # The names of messages that failed are made up when they fail.
        why = "The rule writes each failed message to a new object below this prefix of one bucket."
        errors = grant_objects(role, errors_bucket, errors_prefix, "s3:PutObject", why=why)
        self.rule = iot.CfnTopicRule(
            self,
            "Rule",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                aws_iot_sql_version="2016-03-23",
                description=f"Messages of {topic_prefix}'s devices, unchanged, into the stream",
                # "*" and nothing beside it: only so are messages that are no JSON passed on too.
                sql=f"SELECT * FROM '{topic_prefix}/+/telemetry'",  # noqa: S608 - AWS IoT's SQL, prefix checked above
                actions=[
                    iot.CfnTopicRule.ActionProperty(
                        kinesis=iot.CfnTopicRule.KinesisActionProperty(
                            role_arn=role.role_arn, stream_name=stream.stream_name, partition_key="${topic(2)}"
                        )
                    )
                ],
                error_action=iot.CfnTopicRule.ActionProperty(
                    s3=iot.CfnTopicRule.S3ActionProperty(
                        role_arn=role.role_arn,
                        bucket_name=errors_bucket.bucket_name,
                        key=f"{errors_prefix}${{topic(2)}}/${{timestamp()}}-${{newuuid()}}.json",
                    )
                ),
            ),
        )
        # Messages may come as soon as the rule is there.
        errors.apply_before(self.rule)
        self.alarms = [self._failures_alarm()]

    def _device_policy(self) -> dict[str, object]:
        def arn(resource: str, name: str) -> str:
            made = ArnFormat.SLASH_RESOURCE_NAME
            return Stack.of(self).format_arn(service="iot", resource=resource, resource_name=name, arn_format=made)

        topic = arn("topic", f"{self.topic_prefix}/{_THING}/telemetry")
        attached = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
        statements: list[dict[str, object]] = [
            # Without an attached thing the variable stays empty: said here instead of relied on.
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": arn("client", _THING), "Condition": attached},
            {"Effect": "Allow", "Action": "iot:Publish", "Resource": topic},
        ]
        return {"Version": "2012-10-17", "Statement": statements}

    def _failures_alarm(self) -> cloudwatch.Alarm:
        failures = cloudwatch.Metric(
            namespace="AWS/IoT",
            metric_name="Failure",
            dimensions_map={"RuleName": self.rule.ref, "ActionType": "Kinesis"},
            statistic="Sum",
        )
        return alarm_when(self, "FailuresAlarm", failures, above=0, says="cannot put messages into the stream")
