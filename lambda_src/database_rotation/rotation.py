"""The four steps of a rotation with a single user, each of which may be asked for again without harm.

Source: AWS Secrets Manager user guide, "Lambda rotation functions", and AWS's own function for this case,
SecretsManagerRDSPostgreSQLRotationSingleUser, whose protocol this follows: the new password is first kept as the
pending version, then set in the database, tried, and at last made the current version. Whatever breaks in between, one
of the versions kept is the database's password, and the next attempt finds out which.
"""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from database_rotation import database
from database_rotation.rules import (
    EXCLUDED,
    PASSWORD_LENGTH,
    Credentials,
    RotationError,
    is_done_already,
    parsed,
    same_login,
    version_at,
    with_password,
)

logger = Logger(child=True)


@dataclass(frozen=True)
class Rotation:
    """One rotation of one secret.

    Args:
        client: boto3 client of Secrets Manager.
        secret: The secret's ARN.
        version: The version that is to become the current one: the request's token.
    """

    client: Any
    secret: str
    version: str

    def do(self, step: str) -> None:
        """Do one step.

        Raises:
            RotationError: The step is unknown, or the rotation must not go on.
        """
        steps = {
            "createSecret": self.create,
            "setSecret": self.set,
            "testSecret": self.test,
            "finishSecret": self.finish,
        }
        if step not in steps:
            message = f"step must be one of {', '.join(steps)}, got {step!r}"
            raise RotationError(message)
        if is_done_already(self.client.describe_secret(SecretId=self.secret), self.version):
            logger.info("this version is current already", step=step)
            return
        steps[step]()
        logger.info("step done", step=step)

    def create(self) -> None:
        """Keep a new password as the pending version, unless one is kept already."""
        current = self._text("AWSCURRENT")
        parsed(current)
        if self._pending_text() is not None:
            return
        made = self.client.get_random_password(PasswordLength=PASSWORD_LENGTH, ExcludeCharacters=EXCLUDED)
        self.client.put_secret_value(
            SecretId=self.secret,
            ClientRequestToken=self.version,
            SecretString=with_password(current, made["RandomPassword"]),
            VersionStages=["AWSPENDING"],
        )

    def set(self) -> None:
        """Set the pending password in the database, unless it is set; whichever known password still works logs in."""
        pending, current = self._pending(), parsed(self._text("AWSCURRENT"))
        same_login(pending, current)  # before anything is sent to anybody
        if database.logs_in(pending):
            return
        previous = self._previous(pending)
        for stage, known in {"AWSCURRENT": current, **({"AWSPREVIOUS": previous} if previous else {})}.items():
            try:
                database.set_password(known, pending.password)
            except database.Refused:
                logger.warning("the database does not take this version", stage=stage)
            else:
                return
        message = "the database takes neither the pending, nor the current, nor the previous password"
        raise RotationError(message)

    def test(self) -> None:
        """See that the pending password logs in."""
        if not database.logs_in(self._pending()):
            message = "the database does not take the pending password"
            raise RotationError(message)

    def finish(self) -> None:
        """Make the pending version the current one; the one before becomes the previous one by itself."""
        current = version_at(self.client.describe_secret(SecretId=self.secret), "AWSCURRENT")
        stages: dict[str, str] = {"RemoveFromVersionId": current} if current else {}
        self.client.update_secret_version_stage(
            SecretId=self.secret, VersionStage="AWSCURRENT", MoveToVersionId=self.version, **stages
        )

    def _text(self, stage: str, **version: str) -> str:
        return str(self.client.get_secret_value(SecretId=self.secret, VersionStage=stage, **version)["SecretString"])

    def _pending_text(self) -> str | None:
        try:
            return self._text("AWSPENDING", VersionId=self.version)
        except self.client.exceptions.ResourceNotFoundException:
            return None

    def _pending(self) -> Credentials:
        text = self._pending_text()
        if text is None:
            message = "there is no pending version: createSecret comes first"
            raise RotationError(message)
        return parsed(text)

    def _previous(self, pending: Credentials) -> Credentials | None:
        """The version before, if it is for the same login.

        It need not be. CloudFormation makes the secret first and adds the address with a second version; and whoever
        takes over from a restored database writes its address into the secret.
        """
        try:
            previous = parsed(self._text("AWSPREVIOUS"))
            same_login(pending, previous)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        except RotationError as error:
            logger.info("the version before cannot be used", reason=str(error))
            return None
        return previous
