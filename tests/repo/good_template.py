"""A template with one of everything and nothing wrong with it, to be spoilt by tests of the guards."""

from typing import Any

from tests.templates import Template


def statement(action: str | list[str], resource: Any = "arn:aws:sqs:::q", **more: Any) -> dict[str, Any]:
    """A statement of a policy that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _no_http(action: str) -> dict[str, Any]:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Action": action, "Resource": "*", "Principal": "*", "Condition": plain}


def _policy(kind: str, attached: str, to: Any, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": {"PolicyDocument": {"Statement": list(statements)}, attached: to}}


# One of everything, and nothing wrong with it.
GOOD: Template = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"Policies": [{"PolicyDocument": {"Statement": statement("xray:PutTraceSegments", "*")}}]},
        },
        "Policy": _policy("AWS::IAM::Policy", "Roles", [{"Ref": "Role"}], statement("sqs:SendMessage")),
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": {"Statement": [statement("kms:*", "*", Principal={"AWS": "me"})]}},
        },
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "SqsManagedSseEnabled": True,
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
            },
        },
        "Queues": _policy("AWS::SQS::QueuePolicy", "Queues", [{"Ref": "Queue"}, {"Ref": "Dead"}], _no_http("sqs:*")),
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        "Topics": _policy("AWS::SNS::TopicPolicy", "Topics", [{"Ref": "Topic"}], _no_http("sns:Publish")),
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"Protocol": "sqs", "RedrivePolicy": {"deadLetterTargetArn": "dead"}},
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": []},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
            },
        },
        "Buckets": _policy("AWS::S3::BucketPolicy", "Bucket", {"Ref": "Bucket"}, _no_http("s3:*")),
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
                "DeadLetterConfig": {"TargetArn": "dead"},
                "Environment": {"Variables": {"TABLE": "t", "PASSWORD": "{{resolve:secretsmanager:x}}"}},
            },
        },
        "Source": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": {"Fn::GetAtt": ["Function", "Arn"]}, "Principal": "s3.amazonaws.com"},
        },
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"DeadLetterConfig": {"Arn": "dead"}}]}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": ["a"], "OKActions": ["a"]}},
    },
    "Outputs": {"QueueUrl": {"Value": "u"}},
}
