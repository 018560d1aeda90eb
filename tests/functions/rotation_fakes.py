"""A secret in a Secrets Manager of its own, with versions and stages as the real one keeps them."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"
FIRST, NEXT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


class NotFoundError(ClientError):
    """ResourceNotFoundException."""


@dataclass
class FakeSecretsManager:
    """One secret.

    Attributes:
        values: Version -> text; a pending version has none at first.
        stages: Version -> its stages.
        enabled: Whether rotation is on.
        made: How many passwords it was asked for.
        asked: What it was asked for them.
    """

    values: dict[str, str]
    stages: dict[str, list[str]]
    enabled: bool = True
    made: int = 0
    asked: dict[str, Any] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(ResourceNotFoundException=NotFoundError))

    @classmethod
    def rotating(cls, value: dict[str, Any]) -> "FakeSecretsManager":
        """As it is when the first step is asked for."""
        return cls({FIRST: json.dumps(value)}, {FIRST: ["AWSCURRENT"], NEXT: ["AWSPENDING"]})

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert SecretId == SECRET
        return {"RotationEnabled": self.enabled, "VersionIdsToStages": {one: list(s) for one, s in self.stages.items()}}

    def get_secret_value(self, *, SecretId: str, VersionStage: str, VersionId: str | None = None) -> dict[str, str]:  # noqa: N803
        assert SecretId == SECRET
        found = VersionId or next((one for one, stages in self.stages.items() if VersionStage in stages), None)
        if found not in self.values or VersionStage not in self.stages[found]:
            raise NotFoundError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, "GetSecretValue")
        return {"SecretString": self.values[found]}

    def get_random_password(self, **asked: Any) -> dict[str, str]:
        self.made, self.asked = self.made + 1, asked
        return {"RandomPassword": f"new-secret-{self.made}"}

    def put_secret_value(
        self,
        *,
        SecretId: str,  # noqa: N803
        ClientRequestToken: str,  # noqa: N803
        SecretString: str,  # noqa: N803
        VersionStages: list[str],  # noqa: N803
    ) -> None:
        assert (SecretId, VersionStages) == (SECRET, ["AWSPENDING"])
        assert ClientRequestToken not in self.values, "a version's value never changes"
        self.values[ClientRequestToken] = SecretString

    def update_secret_version_stage(
        self,
        *,
        SecretId: str,  # noqa: N803
        VersionStage: str,  # noqa: N803
        MoveToVersionId: str,  # noqa: N803
        RemoveFromVersionId: str,  # noqa: N803
    ) -> None:
        assert (SecretId, VersionStage) == (SECRET, "AWSCURRENT")
        self.stages[RemoveFromVersionId].remove("AWSCURRENT")
        for stages in self.stages.values():
            if "AWSPREVIOUS" in stages:
                stages.remove("AWSPREVIOUS")
        self.stages[RemoveFromVersionId].append("AWSPREVIOUS")
        self.stages[MoveToVersionId].append("AWSCURRENT")

    def password(self, version: str) -> str:
        return str(json.loads(self.values[version])["password"])
