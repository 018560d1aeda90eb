"""Each check passes what is allowed, tokens included, and refuses the rest in one sentence: prop, rule, value."""

import re
from collections.abc import Callable

import pytest
from aws_cdk import Duration, Token

from constructs_lib import _checks

NUMBER = Token.as_number({"Ref": "N"})
TEXT = Token.as_string({"Ref": "S"})
LATER = Duration.seconds(NUMBER)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(lambda: _checks.in_range("n", 1, 1, 10), id="lowest"),
        pytest.param(lambda: _checks.in_range("n", 10, 1, 10), id="highest"),
        pytest.param(lambda: _checks.in_range("n", NUMBER, 1, 10), id="token"),
        pytest.param(lambda: _checks.seconds_in_range("t", Duration.seconds(1), 1, 10), id="shortest"),
        pytest.param(lambda: _checks.seconds_in_range("t", Duration.millis(10_000), 1, 10), id="longest"),
        pytest.param(lambda: _checks.seconds_in_range("t", LATER, 1, 10), id="duration token"),
        pytest.param(lambda: _checks.matches("s", "abc", "[a-c]+", "letters"), id="match"),
        pytest.param(lambda: _checks.matches("s", TEXT, "[a-c]+", "letters"), id="text token"),
        pytest.param(lambda: _checks.one_of("s", "a", {"a", "b"}), id="one of"),
        pytest.param(lambda: _checks.not_empty("l", ["a"]), id="not empty"),
        pytest.param(lambda: _checks.unique("l", ["a", "b"]), id="unique"),
    ],
)
def test_what_is_allowed_passes(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: _checks.in_range("n", 0, 1, 10), "n: must be between 1 and 10, got 0"),
        (lambda: _checks.in_range("n", 11, 1, 10), "n: must be between 1 and 10, got 11"),
        (lambda: _checks.in_range("n", 0.5, 1, 10), "n: must be between 1 and 10, got 0.5"),
        (lambda: _checks.in_range("n", float("nan"), 1, 10), "n: must be between 1 and 10, got nan"),
        (lambda: _checks.in_range("n", float("-inf"), 1, 10), "n: must be between 1 and 10, got -inf"),
        (
            lambda: _checks.seconds_in_range("t", Duration.seconds(0), 1, 10),
            "t: must be whole seconds between 1 and 10, got 0 seconds",
        ),
        (
            lambda: _checks.seconds_in_range("t", Duration.minutes(1), 1, 10),
            "t: must be whole seconds between 1 and 10, got 60 seconds",
        ),
        (
            lambda: _checks.seconds_in_range("t", Duration.millis(1500), 1, 10),
            "t: must be whole seconds between 1 and 10, got 1.5 seconds",
        ),
        (lambda: _checks.matches("s", "abd", "[a-c]+", "letters a to c"), "s: must be letters a to c, got 'abd'"),
        (lambda: _checks.matches("s", "abc\n", "[a-c]+", "letters a to c"), "s: must be letters a to c, got 'abc\\n'"),
        (lambda: _checks.one_of("s", "c", ["b", "a"]), "s: must be one of a, b, got 'c'"),
        (lambda: _checks.not_empty("l", []), "l: must have at least one item, got none"),
        (lambda: _checks.unique("l", ["a", "b", "a"]), "l: must be unique, got 'a' twice"),
    ],
)
def test_what_is_not_is_refused(check: Callable[[], None], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check()
