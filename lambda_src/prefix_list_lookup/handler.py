"""A custom resource of CloudFormation: the id of a prefix list that AWS manages, by its name."""

import json
import os
from functools import cache
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from prefix_list_lookup.rules import the_list

logger = Logger()
tracer = Tracer()
# An answer that is lost leaves the stack waiting, so it is tried again; CloudFormation takes the first.
_http = urllib3.PoolManager(
    retries=urllib3.Retry(3, backoff_factor=0.5, status_forcelist=[500, 502, 503], allowed_methods=["PUT"]),
    timeout=5,
    # Where AWS's own clients look for certificates.
    ca_certs=os.environ.get("AWS_CA_BUNDLE"),
)


# The event is not logged: its ResponseURL lets whoever has it answer in our place.
@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@event_source(data_class=CloudFormationCustomResourceEvent)
def handler(event: CloudFormationCustomResourceEvent, context: LambdaContext) -> None:
    """Look it up, and tell CloudFormation, whatever happens. There is nothing to delete."""
    if event.request_type == "Delete":
        answer(event, event.physical_resource_id)
        return
    try:
        found = list_id(ec2(), str(event.resource_properties.get("Name", "")))
    except Exception as error:
        logger.exception("no prefix list", request_type=event.request_type)
        reason = f"{type(error).__name__}: {error} (log stream {context.log_stream_name})"
        answer(event, event.physical_resource_id or "none", failed=reason)
    else:
        answer(event, found, data={"Id": found})


def list_id(client: Any, name: str) -> str:
    """The id of AWS's list of this name.

    Args:
        client: boto3 client of EC2.
        name: "com.amazonaws.global.cloudfront.origin-facing".
    """
    pages = client.get_paginator("describe_managed_prefix_lists").paginate(
        Filters=[{"Name": "prefix-list-name", "Values": [name]}]
    )
    return the_list((one for page in pages for one in page["PrefixLists"]), name)


def answer(
    event: CloudFormationCustomResourceEvent, physical_id: str, *, data: dict[str, str] | None = None, failed: str = ""
) -> None:
    """Tell CloudFormation.

    Args:
        event: What it asked.
        physical_id: The list's id.
        data: What ``Fn::GetAtt`` gives.
        failed: Why it went wrong; empty: it did not.

    Raises:
        RuntimeError: CloudFormation did not take the answer.
    """
    body = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": failed or "See the function's log",
        "PhysicalResourceId": physical_id,
        "StackId": event.stack_id,
        "RequestId": event.request_id,
        "LogicalResourceId": event.logical_resource_id,
        "Data": data or {},
    }
    # No content type: the URL is presigned without one.
    sent = _http.request("PUT", event.response_url, body=json.dumps(body).encode(), headers={"Content-Type": ""})
    if sent.status >= 300:  # noqa: PLR2004
        message = f"CloudFormation did not take the answer: HTTP {sent.status}"
        raise RuntimeError(message)


# Made at the first request, so that importing this module needs no AWS.
@cache
def ec2() -> Any:
    """The client of EC2."""
    return boto3.client("ec2")
