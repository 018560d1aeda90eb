"""An identity pool that admits no guests gives them neither an identity nor credentials.

Without this fix the emulator ignores `AllowUnauthenticatedIdentities` and makes an identity for everybody.
"""

from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the check of the logins, which both calls make."""
    cognito = need("services.cognito", "_identity_logins_error", "error_response_json")
    check = cognito._identity_logins_error

    def checked(pool: dict[str, Any], identity_id: str | None, logins: Any) -> Any:
        if not logins and str(pool.get("AllowUnauthenticatedIdentities")).lower() != "true":
            message = "Unauthenticated access is not supported for this identity pool."
            return cognito.error_response_json("NotAuthorizedException", message, 400)
        return check(pool, identity_id, logins)

    vars(cognito)["_identity_logins_error"] = checked
