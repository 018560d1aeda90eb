"""What must hold in every template so that nobody gets in: one sentence per offence, nothing when all is well."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.repo.policies import (
    RESOURCE_POLICIES,
    Statement,
    identity_statements,
    is_anybody,
    many,
    refers_to,
    refuses_plain_http,
    resource_statements,
)
from tests.templates import Template, resources

Guard = Callable[[Template], list[str]]

_SECRET = re.compile(
    r"(A[KS]IA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.)"
)
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|api_?key|private_?key|access_?token|auth_?token)$")
# Resolved at deploy time, or a unit of time (Cognito's TokenValidityUnits).
_HARMLESS = re.compile(r"\{\{resolve:|(seconds|minutes|hours|days)$")
# X-Ray's two actions, Session Manager's four, ECR's sign-in, the one that makes a random text and those that only look
# at a network take no resource (source: Service Authorization Reference, "Actions for AWS X-Ray", "Amazon Message
# Gateway Service", "Amazon ECR", "AWS Secrets Manager" and "Amazon EC2").
_WITHOUT_RESOURCE = {
    "ec2:DescribeCustomerGateways",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribePrefixLists",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ec2:DescribeVpnConnections",
    "ec2:DescribeVpnGateways",
    "ecr:GetAuthorizationToken",
    "secretsmanager:GetRandomPassword",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
_ALL_BLOCKED = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}


def no_secrets(template: Template) -> list[str]:
    """Nothing that looks like a credential, and nothing named like one with its value written out."""
    offences = [f"a value looks like a secret: {found[:12]}..." for found in _SECRET.findall(json.dumps(template))]

    def walk(node: Any, path: str) -> None:
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, str) and _SECRET_NAME.search(str(name)) and not _HARMLESS.match(value):
                offences.append(f"{path}/{name}: must be resolved at deploy time, got a value that is written out")
            elif isinstance(value, dict | list):
                walk(value, f"{path}/{name}")

    walk(template.get("Resources", {}), "Resources")
    return offences


def no_wildcards(template: Template) -> list[str]:
    """No role may act on every resource, or do everything a service can; nobody unnamed gets in anywhere."""
    offences = []
    for logical_id, statement in identity_statements(template):
        actions = many(statement.get("Action"))
        if statement["Effect"] == "Deny":
            continue
        if "NotAction" in statement or "NotResource" in statement:
            offences.append(f"{logical_id}: must name what is allowed, got NotAction or NotResource")
        if "*" in many(statement.get("Resource")) and not set(actions) <= _WITHOUT_RESOURCE:
            offences.append(f"{logical_id}: must name its resources, got '*' for {actions}")
        offences += [
            f"{logical_id}: must name its actions, got {one}" for one in actions if re.search(r"(^|:)\*$", one)
        ]
    for logical_id, statement in resource_statements(template):
        if statement["Effect"] == "Allow" and is_anybody(statement.get("Principal")) and not statement.get("Condition"):
            offences.append(f"{logical_id}: must not let everybody in, got Principal '*' for {statement['Action']}")
    return offences


def tls_only(template: Template) -> list[str]:
    """Every queue, topic and bucket refuses plain HTTP by its policy."""
    wanted = {
        "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", {"sqs:*"}),
        "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", {"sns:Publish"}),
        "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", {"s3:*"}),
    }
    return [
        f"{logical_id}: its policy must deny {', '.join(actions)} without TLS"
        for kind, (policy_type, actions) in wanted.items()
        for logical_id in resources(template, kind)
        if not any(refuses_plain_http(one, actions) for one in _policy_of(template, policy_type, logical_id))
    ]


def _policy_of(template: Template, policy_type: str, logical_id: str) -> list[Statement]:
    document, attached = RESOURCE_POLICIES[policy_type]
    return [
        statement
        for policy in resources(template, policy_type).values()
        if any(refers_to(one, logical_id) for one in many(policy[attached]))
        for statement in many(policy[document]["Statement"])
    ]


def encrypted(template: Template) -> list[str]:
    """Queues, topics and buckets are encrypted at rest, and say so."""
    wanted = {
        "AWS::SQS::Queue": ("SqsManagedSseEnabled", "KmsMasterKeyId"),
        "AWS::SNS::Topic": ("KmsMasterKeyId",),
        "AWS::S3::Bucket": ("BucketEncryption",),
    }
    return [
        f"{logical_id}: must be encrypted: {' or '.join(any_of)}"
        for kind, any_of in wanted.items()
        for logical_id, properties in resources(template, kind).items()
        if not any(properties.get(one) for one in any_of)
    ]


def private_buckets(template: Template) -> list[str]:
    """Buckets block all four ways of being public."""
    return [
        f"{logical_id}: must block all public access"
        for logical_id, bucket in resources(template, "AWS::S3::Bucket").items()
        if {name for name, on in bucket.get("PublicAccessBlockConfiguration", {}).items() if on is True} != _ALL_BLOCKED
        or "Public" in str(bucket.get("AccessControl", ""))
    ]


GUARDS: tuple[Guard, ...] = (no_secrets, no_wildcards, tls_only, encrypted, private_buckets)
