"""Secrets Manager asks for one step of a rotation at a time; what goes wrong is raised, so that it asks again."""

from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from database_rotation.rotation import Rotation

logger = Logger()
# Calls to AWS alone: a traced driver would tell of its connections.
tracer = Tracer(patch_modules=("botocore",))


# Neither event nor answer is logged or traced, although they hold no secret: a token is a version's name.
@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, str], context: LambdaContext) -> None:  # noqa: ARG001 - Powertools takes it
    """Do the step that was asked for."""
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    logger.append_keys(secret=secret, version=version)
    try:
        Rotation(secrets(), secret, version).do(step)
    except Exception:
        logger.exception("the step failed; it may be asked again", step=step)
        raise


# Made at the first request, so that importing this module needs no AWS.
@cache
def secrets() -> Any:
    """The client of Secrets Manager."""
    return boto3.client("secretsmanager")
