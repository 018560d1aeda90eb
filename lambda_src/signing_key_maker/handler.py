"""A custom resource of CloudFormation: one secret, one key pair, however often it is asked."""

import json
import os
from functools import cache
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from signing_key_maker.rules import new_private_key, public_key_of

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
    """Do what CloudFormation asks, and tell it how that went, whatever happens."""
    secret = str(event.resource_properties.get("SecretArn", ""))
    if event.request_type == "Delete":
        # The secret leaves by its own removal policy, and the key with it.
        answer(event, event.physical_resource_id)
        return
    try:
        public_key = public_key_in(secrets(), secret)
    except Exception as error:
        logger.exception("no key pair", request_type=event.request_type)
        # The kind alone: a message might carry a part of what it is about.
        reason = f"{type(error).__name__}; see the log {context.log_stream_name} of {context.function_name}"
        answer(event, event.physical_resource_id or "none", failed=reason)
    else:
        answer(event, secret, data={"PublicKey": public_key})


def public_key_in(client: Any, secret: str) -> str:
    """The public key that belongs to the private one in a secret.

    The private key is made unless it is there: a request that is repeated, updates or is rolled back changes no key.

    Args:
        client: boto3 client of Secrets Manager.
        secret: The secret's ARN.
    """
    found = public_key_of(client.get_secret_value(SecretId=secret)["SecretString"])
    if found:
        logger.info("the key pair is there already", secret=secret)
        return found
    private_key = new_private_key()
    client.put_secret_value(SecretId=secret, SecretString=private_key)
    logger.info("a key pair was made", secret=secret)
    return str(public_key_of(private_key))


def answer(
    event: CloudFormationCustomResourceEvent, physical_id: str, *, data: dict[str, str] | None = None, failed: str = ""
) -> None:
    """Tell CloudFormation.

    Args:
        event: What it asked.
        physical_id: The secret's ARN, which stays the same for as long as the secret does, so that nothing is replaced.
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
def secrets() -> Any:
    """The client of Secrets Manager."""
    return boto3.client("secretsmanager")
