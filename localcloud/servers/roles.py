"""Acting under the role of a server, as ECS and EC2 do: they may because its trust policy says so."""

from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from localcloud.environment import REGION
from localcloud.errors import LocalCloudError


class Cloud(Protocol):
    """What is needed of the local cloud."""

    ca_bundle: Path

    @property
    def endpoint_url(self) -> str:
        """Its TLS endpoint."""

    def client(self, service: str, /) -> Any:
        """A client as its root."""


class Role:
    """Credentials of a role."""

    def __init__(self, cloud: Cloud, keys: dict[str, str]) -> None:
        self._cloud, self._keys = cloud, keys

    @property
    def environment(self) -> dict[str, str]:
        """The variables in which every SDK looks for them."""
        return {
            "AWS_ACCESS_KEY_ID": self._keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self._keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self._keys["SessionToken"],
        }

    @cached_property
    def _session(self) -> Any:
        return boto3.Session(
            self._keys["AccessKeyId"], self._keys["SecretAccessKey"], self._keys["SessionToken"], REGION
        )

    def client(self, service: str) -> Any:
        """A client under the role."""
        return self._session.client(service, endpoint_url=self._cloud.endpoint_url, verify=str(self._cloud.ca_bundle))


def under(cloud: Cloud, arn: str, session: str) -> Role:
    """Assume the role.

    Args:
        cloud: where it is.
        arn: the role's.
        session: the name of the session; on AWS it is the task's or the instance's id.

    Raises:
        LocalCloudError: its trust policy does not let a service of AWS have it.
    """
    try:
        answer = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)
    except ClientError as error:
        raise LocalCloudError(f"a server cannot have its role {arn}: {error}") from error
    return Role(cloud, answer["Credentials"])
