"""Waiting and refusals, with a clock of our own: no test here takes time."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

from journeys._refusals import refused
from journeys._waiting import Waiting


@dataclass
class FakeTime:
    """Seconds that pass only by sleeping."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def waiting(time: FakeTime) -> Waiting:
    return Waiting(time.clock, time.sleep)


def answers(*values: object) -> Callable[[], object]:
    """A probe that gives these one after the other; exceptions are raised, the last one is repeated."""
    left = list(values)

    def probe() -> object:
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, Exception):
            raise value
        return value

    return probe


def client_error(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Publish")


@pytest.mark.parametrize(
    "not_yet",
    [None, [], 0, AssertionError("two orders"), client_error("ResourceNotFoundException")],
    ids=["none", "empty", "zero", "assertion", "client error"],
)
def test_eventually_waits_and_gives_the_first_truthy_value(waiting: Waiting, time: FakeTime, not_yet: object) -> None:
    assert waiting.eventually(answers(not_yet, not_yet, ["message"]), what="a message") == ["message"]
    assert len(time.slept) == 2


def test_eventually_does_not_sleep_when_it_is_there_at_once(waiting: Waiting, time: FakeTime) -> None:
    waiting.eventually(lambda: True)
    assert time.slept == []


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ([], r"^a message: not within 2 s; the last value was \[\]$"),
        (AssertionError("got 3 of 5"), r"^a message: not within 2 s; the last try raised AssertionError: got 3 of 5$"),
        (client_error("Throttling", "slow down"), r"not within 2 s; the last try raised ClientError: .*slow down$"),
    ],
    ids=["value", "assertion", "client error"],
)
def test_eventually_says_what_it_saw_last(waiting: Waiting, time: FakeTime, seen: object, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        waiting.eventually(answers(0, seen), within=2, what="a message")
    assert time.now == pytest.approx(102)


def test_eventually_asks_once_more_when_the_time_is_over(waiting: Waiting, time: FakeTime) -> None:
    assert waiting.eventually(lambda: time.now >= 102, within=2)


def test_eventually_raises_what_is_no_not_yet(waiting: Waiting, time: FakeTime) -> None:
    with pytest.raises(KeyError, match="Url"):
        waiting.eventually(answers(KeyError("Url"), True))
    assert time.slept == []


def test_intervals_grow_from_short_to_half_a_second(waiting: Waiting, time: FakeTime) -> None:
    with pytest.raises(AssertionError):
        waiting.eventually(lambda: False, within=10)
    assert time.slept[0] == pytest.approx(0.05)
    assert time.slept[:-1] == sorted(time.slept[:-1])
    assert max(time.slept) == pytest.approx(0.5)


def test_never_watches_the_whole_time_and_its_end(waiting: Waiting, time: FakeTime) -> None:
    seen: list[float] = []

    def probe() -> bool:
        seen.append(time.now)
        return False

    waiting.never(probe, during=3)
    assert seen[0] == pytest.approx(100)
    assert seen[-1] == pytest.approx(103)


@pytest.mark.parametrize("at", [100, 101, 103], ids=["at once", "in between", "at the end"])
def test_never_fails_when_it_happens(waiting: Waiting, time: FakeTime, at: float) -> None:
    with pytest.raises(AssertionError, match=r"^a second mail: must not happen, but did after \d\.\d s: 'mail'$"):
        waiting.never(lambda: "mail" if time.now >= at - 0.001 else "", during=3, what="a second mail")


@pytest.mark.parametrize("error", [AssertionError("blind"), client_error("AccessDenied")])
def test_never_fails_when_it_cannot_see(waiting: Waiting, error: Exception) -> None:
    with pytest.raises(type(error), match=re.escape(str(error))):
        waiting.never(answers("", error), during=3)


@dataclass(frozen=True)
class Stubbed:
    """A client and what it is made to answer."""

    client: "SNSClient"
    answers: Stubber


@pytest.fixture
def sns() -> Iterator[Stubbed]:
    client = boto3.client("sns", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stub:
        yield Stubbed(client, stub)
    client.close()


@pytest.mark.parametrize("codes", ["AccessDenied", "AccessDeniedException", ("AuthorizationError", "AccessDenied")])
def test_refused_gives_the_message(sns: Stubbed, codes: str | tuple[str, ...]) -> None:
    sns.answers.add_client_error("publish", "AccessDeniedException", "not you")
    assert refused(codes, sns.client.publish, TopicArn="arn", Message="m") == "not you"


def test_refused_fails_when_the_call_succeeds(sns: Stubbed) -> None:
    sns.answers.add_response("publish", {"MessageId": "1"})
    with pytest.raises(AssertionError, match=r"^publish: expected to be refused with AccessDenied, but it succeeded$"):
        refused("AccessDenied", sns.client.publish, TopicArn="arn", Message="m")


def test_refused_fails_on_another_code(sns: Stubbed) -> None:
    sns.answers.add_client_error("publish", "NotFound", "no topic")
    expected = r"^publish: expected to be refused with AccessDenied or AuthorizationError, got NotFound: no topic$"
    with pytest.raises(AssertionError, match=expected):
        refused(("AccessDenied", "AuthorizationError"), sns.client.publish, TopicArn="arn", Message="m")


def test_refused_raises_what_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        refused("AccessDenied", lambda: 1 / 0)


@pytest.mark.parametrize("codes", ["", (), ("AccessDenied", "")])
def test_refused_wants_a_code(codes: str | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="codes: name the error code that is expected"):
        refused(codes, lambda: None)
