"""The examples in the docstrings of the library's public names, and what they may take for granted."""

import inspect
import textwrap
from types import ModuleType
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

import constructs_lib
from constructs_lib import PythonFunction, QueueWithDlq


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


def public(module: ModuleType = constructs_lib) -> dict[str, object]:
    """Name -> what the library offers, but for its exceptions."""
    offered = {name: getattr(module, name) for name in module.__all__}
    return {name: one for name, one in offered.items() if not (inspect.isclass(one) and issubclass(one, BaseException))}


def surroundings(stack: cdk.Stack) -> dict[str, Any]:
    """What an example may name without making it: a reader's stack, and what is already in it."""
    given = cdk.NestedStack(stack, "Given")
    role = iam.Role(given, "Caller", assumed_by=iam.AccountRootPrincipal())
    return {
        **public(),
        "Duration": cdk.Duration,
        "RemovalPolicy": cdk.RemovalPolicy,
        "sns": sns,
        "stack": stack,
        "worker": PythonFunction(given, "GivenWorker", package="order_worker"),
        "jobs": QueueWithDlq(given, "GivenJobs"),
        "queue": sqs.Queue(given, "GivenQueue"),
        "bucket": s3.Bucket(given, "GivenBucket"),
        "schema": apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT),
        **dict.fromkeys(("producer", "shop", "checkout", "author", "reader"), role),
    }
