"""Policy variables (`${cognito-identity.amazonaws.com:sub}`, `${aws:username}`) stand for the caller's own values.

Without this fix the emulator compares them as they are written, so that a user of an identity pool is denied even the
prefix that a policy gives to each user; and it does not know which identity such a user is.
"""

import re
from dataclasses import replace
from typing import Any

from localcloud.internals import need

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
# `${*}`, `${?}` and `${$}` stand for the sign itself.
_SIGNS = {"*", "?", "$"}


def apply() -> None:
    """Tell the evaluator of Cognito identities, and fill in variables before a statement is compared."""
    evaluator = need(
        "core.iam_evaluator", "_principal_keys", "_first_match", "_resolve_condition_key", "ParsedStatement"
    )
    sessions = need("services.sts", "_sessions")
    describe, first_match, resolve = (
        evaluator._principal_keys,
        evaluator._first_match,
        evaluator._resolve_condition_key,
    )

    def described(credential: Any) -> dict[str, Any]:
        keys: dict[str, Any] = describe(credential)
        session = sessions._sessions.get(credential.access_key_id) or {}
        if session.get("_identity_id"):
            keys["cognito-identity.amazonaws.com:sub"] = session["_identity_id"]
            keys["cognito-identity.amazonaws.com:aud"] = session.get("_identity_pool_id", "")
        return keys

    def matched(context: Any, statements: list[Any], effect: str) -> Any:
        return first_match(context, [_filled(each, context) for each in statements], effect)

    def _filled(statement: Any, context: Any) -> Any:
        if "${" not in f"{statement.resources}{statement.not_resources}{statement.conditions}":
            return statement
        return replace(
            statement,
            resources=_values(statement.resources, context),
            not_resources=_values(statement.not_resources, context),
            conditions={
                operator: {key: _values(wanted, context) for key, wanted in keys.items()}
                for operator, keys in statement.conditions.items()
            },
        )

    def _values(values: Any, context: Any) -> list[str]:
        listed = [values] if isinstance(values, str) else values
        filled = [_value(str(each), context) for each in listed]
        # What the caller has no value for matches nothing. A bucket has no such name.
        return [each for each in filled if each is not None] or (["\0"] if filled else [])

    def _value(text: str, context: Any) -> str | None:
        known = {name: resolve(name, context) for name in _VARIABLE.findall(text) if name not in _SIGNS}
        if None in known.values():
            return None
        return _VARIABLE.sub(lambda found: str(known.get(found[1], found[0])), text)

    vars(evaluator).update(_principal_keys=described, _first_match=matched)
