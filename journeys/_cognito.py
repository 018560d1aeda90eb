"""People who use an app: they sign up with a Cognito user pool, sign in, and send their ID token with what they ask."""

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from journeys._http import Response
from journeys._identity import Identity
from journeys._srp import Proof
from journeys._world import World


class User:
    """Somebody who signed up.

    Args:
        world: Where.
        pool: Id of the user pool.
        client: Id of the app client.
        email: The address, which is the sign-in name.
        password: A password that the pool accepts.

    Attributes:
        sub: The user's id in the pool.
        id_token: What an API with a Cognito authorizer takes.
        access_token: What Cognito itself takes.
    """

    def __init__(self, world: World, pool: str, client: str, email: str, password: str) -> None:
        self._world = world
        self._pool = pool
        self._client = client
        self.email = email
        self.password = password
        self.sub = ""
        self.id_token = ""
        self.access_token = ""

    @property
    def provider(self) -> str:
        """The pool as identity pools name it."""
        return f"cognito-idp.{self._world.region}.amazonaws.com/{self._pool}"

    def sign_in(self) -> None:
        """Prove the password by SRP, and keep the new tokens."""
        cognito = self._world.client("cognito-idp")
        proof = Proof(self._pool, self.password)
        challenge = cognito.initiate_auth(
            ClientId=self._client,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": self.email, "SRP_A": proof.public},
        )
        answer = cognito.respond_to_auth_challenge(
            ClientId=self._client,
            ChallengeName=challenge["ChallengeName"],
            ChallengeResponses=proof.answer(challenge["ChallengeParameters"]),
            **({"Session": challenge["Session"]} if "Session" in challenge else {}),
        )["AuthenticationResult"]
        self.id_token, self.access_token = answer["IdToken"], answer["AccessToken"]
        self.sub = str(claims(self.id_token)["sub"])

    def http(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request with the ID token. See :meth:`World.http`."""
        sent = {"Authorization": self.id_token, **(headers or {})}
        return self._world.http(method, url, json=json, body=body, headers=sent)

    def credentials(self, identity_pool: str) -> tuple[str, Identity]:
        """Trade the ID token for temporary credentials: the identity's id, and who acts under them."""
        cognito, logins = self._world.client("cognito-identity"), {self.provider: self.id_token}
        identity_id = str(cognito.get_id(IdentityPoolId=identity_pool, Logins=logins)["IdentityId"])
        keys = cognito.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
        return identity_id, self._world.with_keys(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])


class Users:
    """Signs people up with a pool.

    Args:
        world: Where.
        pool: Id of the user pool.
        client: Id of the app client, which allows SRP.
    """

    def __init__(self, world: World, *, pool: str, client: str) -> None:
        self._world = world
        self._pool = pool
        self._client = client

    def sign_up(self, name: str) -> User:
        """Sign up, be confirmed, sign in. The user leaves with the journey.

        The code goes to a mailbox that nobody can read here (Amazon SES's simulator, which takes any label), so the
        operator confirms in the user's place.
        """
        cognito = self._world.client("cognito-idp")
        email = f"success+{name}-{self._world.token}@simulator.amazonses.com"
        user = User(self._world, self._pool, self._client, email, f"Aa1!{secrets.token_urlsafe(16)}")
        attributes = [{"Name": "email", "Value": email}]
        cognito.sign_up(ClientId=self._client, Username=email, Password=user.password, UserAttributes=attributes)
        self._world.cleanup(cognito.admin_delete_user, UserPoolId=self._pool, Username=email)
        cognito.admin_confirm_sign_up(UserPoolId=self._pool, Username=email)
        user.sign_in()
        return user


def claims(token: str) -> dict[str, Any]:
    """What a token says; not verified."""
    found: dict[str, Any] = json.loads(_decoded(token.split(".")[1]))
    return found


def tampered(token: str, **changes: object) -> str:
    """The token with other claims under the old signature, as a forger without the key can make it."""
    header, _, signature = token.split(".")
    return ".".join([header, _encoded(json.dumps(claims(token) | changes).encode()), signature])


def unsigned(token: str) -> str:
    """The token's claims with ``alg: none`` and no signature."""
    header, payload, _ = token.split(".")
    changed = json.loads(_decoded(header)) | {"alg": "none"}
    return f"{_encoded(json.dumps(changed).encode())}.{payload}."


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
