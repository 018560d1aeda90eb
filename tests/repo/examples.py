"""The examples in the docstrings of the library's public names, and what they may take for granted."""

import inspect
import textwrap
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_efs as efs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import constructs_lib
from constructs_lib import PythonApplication, PythonFunction, QueueWithDlq, TieredNetwork
from constructs_lib._assets import SOURCES


def _role(scope: Construct, name: str) -> iam.Role:
    return iam.Role(scope, name, assumed_by=iam.AccountRootPrincipal())


def _function(scope: Construct, name: str) -> PythonFunction:
    return PythonFunction(scope, name, package="order_worker")


def _api(scope: Construct, name: str) -> SimpleNamespace:
    pool = cognito.UserPool(scope, name)
    return SimpleNamespace(user_pool=pool, user_pool_client=pool.add_client("Web"))


def _vpc(scope: Construct, name: str) -> ec2.IVpc:
    return TieredNetwork(scope, name).vpc


def _certificate(scope: Construct, name: str) -> acm.ICertificate:
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
    return acm.Certificate.from_certificate_arn(scope, name, arn)


def _application(_scope: Construct, _name: str) -> PythonApplication:
    return PythonApplication(sources=SOURCES, package="order_worker")


def _database(scope: Construct, name: str) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(scope, name, "sg-11111111111111111")


def _policy(_scope: Construct, _name: str) -> iam.PolicyDocument:
    deny = iam.PolicyStatement(effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()], actions=["*"])
    deny.add_condition("Bool", {"aws:SecureTransport": "false"})
    return iam.PolicyDocument(statements=[deny])


# What an example may name because a reader knows what it stands for: made when it is named, in the reader's stack.
GIVEN: dict[str, Callable[[Construct, str], object]] = {
    **dict.fromkeys(("worker", "links"), _function),
    **dict.fromkeys(("analyst", "author", "checkout", "gateway", "producer", "reader", "shop"), _role),
    "api": _api,
    "application": _application,
    "bucket": s3.Bucket,
    "certificate": _certificate,
    "database": _database,
    "jobs": QueueWithDlq,
    "policy": _policy,
    "queue": sqs.Queue,
    "schema": lambda scope, name: apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT),
    "vpc": _vpc,
}
# What it may have imported.
IMPORTED: dict[str, object] = {
    "CfnOutput": cdk.CfnOutput,
    "Duration": cdk.Duration,
    "RemovalPolicy": cdk.RemovalPolicy,
    "apigateway": apigateway,
    "dynamodb": dynamodb,
    "ec2": ec2,
    "ecs": ecs,
    "efs": efs,
    "elbv2": elbv2,
    "iam": iam,
    "kinesis": kinesis,
    "kms": kms,
    "s3": s3,
    "sns": sns,
    "sqs": sqs,
}


def example(thing: object) -> str | None:
    """The code after ``Example:`` in a docstring; None when there is none."""
    text = inspect.getdoc(thing) or ""
    _, found, rest = text.partition("\nExample:\n")
    if not found:
        return None
    block = []
    for line in rest.splitlines():
        if line.strip() and not line.startswith("    "):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block)).strip() or None


def public() -> dict[str, type]:
    """Name -> what the library offers, but for its exceptions."""
    offered: dict[str, type] = {name: getattr(constructs_lib, name) for name in constructs_lib.__all__}
    return {name: one for name, one in offered.items() if not issubclass(one, BaseException)}


def runner(source: str, stack: cdk.Stack) -> Callable[[Construct], None]:
    """Run an example with ``stack`` or a scope of it as its stack, as often as wanted, with the same things given."""
    code = compile(source, "<example>", "exec")
    scope = cdk.NestedStack(stack, "Given")
    given = {name: make(scope, name.capitalize()) for name, make in GIVEN.items() if name in code.co_names}
    return partial(_run, code, {**public(), **IMPORTED, **given})


def _run(code: Any, names: dict[str, object], scope: Construct) -> None:
    exec(code, {**names, "stack": scope})  # noqa: S102 - the library's own words
