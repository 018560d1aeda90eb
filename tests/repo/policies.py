"""Reads the policies in a template: who may do what to what."""

from collections.abc import Iterator
from typing import Any

from tests.templates import Template, resources

Statement = dict[str, Any]

# Resource policies: type -> (property with the document, property that lists what it is attached to).
RESOURCE_POLICIES = {
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
}


def many(value: Any) -> list[Any]:
    """What may be written as one or as a list, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def identity_statements(template: Template) -> Iterator[tuple[str, Statement]]:
    """(logical id, statement) of every policy that gives rights to a role, user or group."""
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        for logical_id, properties in resources(template, kind).items():
            yield from ((logical_id, one) for one in many(properties["PolicyDocument"]["Statement"]))
    for kind in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        for logical_id, properties in resources(template, kind).items():
            for policy in properties.get("Policies", []):
                yield from ((logical_id, one) for one in many(policy["PolicyDocument"]["Statement"]))


def resource_statements(template: Template) -> Iterator[tuple[str, Statement]]:
    """(logical id, statement) of every policy that says who may use a resource."""
    documents = {kind: document for kind, (document, _) in RESOURCE_POLICIES.items()}
    for kind, document in {**documents, "AWS::KMS::Key": "KeyPolicy"}.items():
        for logical_id, properties in resources(template, kind).items():
            yield from ((logical_id, one) for one in many(properties[document]["Statement"]))


def is_anybody(principal: Any) -> bool:
    """Whether a principal is everyone in the world."""
    return principal == "*" or (isinstance(principal, dict) and "*" in many(principal.get("AWS")))


def refuses_plain_http(statement: Statement, actions: set[str]) -> bool:
    """Whether a statement denies everybody those actions without TLS."""
    return (
        statement["Effect"] == "Deny"
        and is_anybody(statement.get("Principal"))
        and set(many(statement["Action"])) == actions
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def refers_to(value: Any, logical_id: str) -> bool:
    """Whether a value is a Ref or GetAtt of a resource."""
    if not isinstance(value, dict):
        return False
    attribute = value.get("Fn::GetAtt")
    return value.get("Ref") == logical_id or (isinstance(attribute, list) and attribute[0] == logical_id)


def target_of(value: Any, template: Template, resource_type: str) -> dict[str, Any] | None:
    """The properties of the resource of a type that a value refers to; None when it refers to none of this template."""
    found = resources(template, resource_type)
    return next((properties for logical_id, properties in found.items() if refers_to(value, logical_id)), None)
