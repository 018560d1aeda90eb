"""CloudFormation custom resource: a release of the site on create and update, and an answer in every case."""

import json
import os
from functools import cache
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from site_deployment.release import Release, deploy, invalidate, remove

logger = Logger()
tracer = Tracer()
_MAX_REASON = 900


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do what CloudFormation asks, and tell it how that went: without an answer a deployment hangs for an hour."""
    identity = event.get("PhysicalResourceId") or f"site-{event['RequestId']}"
    answer = {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": identity,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        work(event["RequestType"], Release.of(event["ResourceProperties"]), event["RequestId"])
    except Exception as error:  # whatever it is, CloudFormation must hear of it
        logger.exception("the site could not be deployed")
        reason = f"{type(error).__name__}: {error} (log stream {context.log_stream_name})"
        answer |= {"Status": "FAILED", "Reason": reason[:_MAX_REASON]}
    _tell(event["ResponseURL"], answer)


def work(request: str, release: Release, reference: str) -> None:
    """Create, Update or Delete."""
    s3 = _s3()
    if request == "Delete":
        remove(release, s3)
        return
    files = deploy(release, s3)
    logger.info("site deployed", bucket=release.bucket, files=files)
    if request == "Update":
        invalidate(release, _cloudfront(), reference)


def _tell(url: str, answer: dict[str, str]) -> None:
    # The URL is presigned for exactly these headers. Trusted is whom boto3 trusts.
    with urllib3.PoolManager(ca_certs=os.environ.get("AWS_CA_BUNDLE")) as pool:
        told = pool.request("PUT", url, body=json.dumps(answer).encode(), headers={"Content-Type": ""})
    logger.info("CloudFormation was told", status=told.status, result=answer["Status"])


@cache
def _s3() -> Any:
    return boto3.client("s3")


@cache
def _cloudfront() -> Any:
    return boto3.client("cloudfront")
