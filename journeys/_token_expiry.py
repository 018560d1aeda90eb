"""A token that was good a moment ago is refused once it has expired: proven by real expiry of a short-lived one."""

from botocore.exceptions import ClientError

from journeys._cognito import User
from journeys._world import NotRunError, World

_SECONDS = 3
_USUAL_SECONDS = 3600


def refused_when_expired(world: World, user: User, url: str) -> None:
    """A step: tokens are made to live for seconds, the user signs in, and uses the token until it is refused.

    Args:
        world: Its stack has the outputs UserPoolId and UserPoolClientId.
        user: Who signs in; has an ordinary token again afterwards.
        url: A GET that answers anything but 401 to the user's token.
    """
    with world.step("a token that was good a moment ago is refused once it has expired: 401") as step:
        try:
            _live_for(world, _SECONDS)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "InvalidParameterException":
                raise
            raise NotRunError(f"tokens live 5 minutes at least on AWS: {refusal}") from refusal
        try:
            user.sign_in()
        finally:
            _live_for(world, _USUAL_SECONDS)
        token = {"Authorization": user.id_token}
        before = world.http("GET", url, headers=token).status
        assert before != 401, "the token was refused before it expired"
        world.eventually(
            lambda: world.http("GET", url, headers=token).status == 401, within=15, what="the token expired"
        )
        user.sign_in()
        step.show(lifetime_s=_SECONDS, before=before, after=401)


def _live_for(world: World, seconds: int) -> None:
    """How long ID tokens of the app are good from now on; everything else of the app client stays."""
    cognito = world.client("cognito-idp")
    where = {"UserPoolId": world.out["UserPoolId"], "ClientId": world.out["UserPoolClientId"]}
    now = cognito.describe_user_pool_client(**where)["UserPoolClient"]
    # What is left out of an update is reset, so all is sent that may be and is set.
    known = cognito.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members
    kept = {name: value for name, value in now.items() if name in known and value not in ("", [])}
    kept["IdTokenValidity"] = seconds
    kept["TokenValidityUnits"] = {**now["TokenValidityUnits"], "IdToken": "seconds"}
    cognito.update_user_pool_client(**kept)
