"""Proving that a call is refused."""

from collections.abc import Callable, Collection

from botocore.exceptions import ClientError


def refused(codes: str | Collection[str], call: Callable[..., object], /, **kwargs: object) -> str:
    """Make a call that must be refused.

    Args:
        codes: The error code, or several of which one is expected. A part is enough: ``AccessDenied`` also accepts
            ``AccessDeniedException``.
        call: A method of a boto3 client.
        **kwargs: Its parameters.

    Returns:
        The message of the refusal.

    Raises:
        AssertionError: The call succeeded, or was refused with another code. Names the expected and the seen one.
        ValueError: No code given, or an empty one, which every refusal would match.
    """
    expected = (codes,) if isinstance(codes, str) else tuple(codes)
    if not expected or not all(expected):
        message = f"codes: name the error code that is expected, got {codes!r}"
        raise ValueError(message)
    wanted = " or ".join(expected)
    name = getattr(call, "__name__", repr(call))
    try:
        call(**kwargs)
    except ClientError as error:
        got = error.response.get("Error", {})
        code, message = str(got.get("Code", "")), str(got.get("Message", ""))
        if not any(part in code for part in expected):
            wrong = f"{name}: expected to be refused with {wanted}, got {code or 'no code'}: {message}"
            raise AssertionError(wrong) from error
        return message
    message = f"{name}: expected to be refused with {wanted}, but it succeeded"
    raise AssertionError(message)
