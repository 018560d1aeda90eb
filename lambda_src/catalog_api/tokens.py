"""The short-lived password of a cache whose users are authenticated by IAM."""

import time
from collections.abc import Callable

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from redis.credentials import CredentialProvider

# A token is good for 15 minutes after it was signed, for a new connection.
# Source: Amazon ElastiCache user guide, "Authenticating with IAM".
_VALID_SECONDS = 900
_REUSED_SECONDS = 600


class IamToken(CredentialProvider):
    """User and token for each new connection; a token is used again for ten minutes.

    Args:
        cache: Name of the serverless cache, in lower case as ElastiCache keeps it.
        user: Id, and so name, of the user.
        region: Region of both.
        credentials: Whose right to ``elasticache:Connect`` counts.
        clock: Seconds. The clock that the signature's own date is of: another one may stand still while the function's
            environment is frozen between two events, and a token be older than it seems.
    """

    def __init__(
        self,
        *,
        cache: str,
        user: str,
        region: str,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = f"https://{cache}/"
        self._user = user
        self._region = region
        self._credentials = credentials
        self._clock = clock
        self._token = ""
        self._good_until = float("-inf")

    def get_credentials(self) -> tuple[str, str]:
        """What redis sends with AUTH."""
        if self._clock() >= self._good_until:
            parameters = {"Action": "connect", "User": self._user, "ResourceType": "ServerlessCache"}
            request = AWSRequest(method="GET", url=self._url, params=parameters)
            SigV4QueryAuth(self._credentials, "elasticache", self._region, expires=_VALID_SECONDS).add_auth(request)
            self._token = str(request.url).removeprefix("https://")  # ElastiCache wants it without a scheme
            self._good_until = self._clock() + _REUSED_SECONDS
        return self._user, self._token
