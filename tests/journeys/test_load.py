"""The load generator: it sends when a request is due, counts what is lost, and ends."""

import threading
import time

import pytest
from urllib3.exceptions import ProtocolError

from journeys._http import Response
from journeys._load import Report, Sent, load


def answer(status: int) -> Response:
    return Response(status, {}, b"")


def well(number: int) -> Response:
    return answer(200)


def test_what_was_asked_for_and_got_is_not_lost() -> None:
    with load(well, per_second=100, at_most=10) as running:
        running.go_on(20)
    assert len(running.report.sent) >= 20
    assert running.report.lost == []
    assert set(running.report.by_answer) == {"200"}


def test_it_sends_at_the_rate_that_was_asked_for() -> None:
    began, when = time.monotonic(), {}

    def send(number: int) -> Response:
        when[number] = time.monotonic() - began
        return answer(200)

    with load(send, per_second=50, at_most=10) as running:
        running.go_on(26)
    # Whatever the machine does: none is sent before it is due.
    assert all(when[number] >= number / 50 for number in range(26)), when
    assert [one.at for one in running.report.sent[:3]] == [0, 1 / 50, 2 / 50]


def test_waiting_for_ones_turn_counts() -> None:
    """Two at once at a server that takes a tenth of a second, at 100 a second: the queue grows, and is seen."""

    def send(number: int) -> Response:
        threading.Event().wait(0.1)
        return answer(200)

    with load(send, per_second=100, at_most=0.2, threads=2) as running:
        running.go_on(20)
    assert running.report.sent[-1].seconds > 0.5


def test_each_kind_of_loss_is_counted_by_its_name() -> None:
    def send(number: int) -> Response:
        if number % 3 == 1:
            raise ProtocolError("Connection aborted.")
        return answer(503 if number % 3 == 2 else 201)

    with load(send, per_second=100, at_most=0.3) as running:
        running.go_on(30)
    report = running.report
    assert report.by_answer == {"201": 10, "503": 10, "ProtocolError": 10}
    assert len(report.lost) == 20


def test_a_server_that_hangs_does_not_stop_the_load() -> None:
    free = threading.Event()

    def send(number: int) -> Response:
        if number == 0:
            assert free.wait(10)
        return answer(200)

    with load(send, per_second=100, at_most=10) as running:
        running.go_on(10)
        free.set()
    assert running.report.sent[0].seconds > 0.05
    assert running.report.slowest == running.report.sent[0].seconds


def test_it_ends_by_itself() -> None:
    with load(well, per_second=100, at_most=0.1) as running:
        running.go_on(10)
        with pytest.raises(AssertionError, match=r"1 more requests: not over within 0\.2 s; 10 were over so far"):
            running.go_on(1, within=0.2)
    assert len(running.report.sent) == 10


def test_it_ends_with_its_body_and_waits_for_what_is_under_way() -> None:
    def send(number: int) -> Response:
        threading.Event().wait(0.1)
        return answer(200)

    began = time.monotonic()
    with load(send, per_second=10, at_most=60) as running:
        pass
    assert time.monotonic() - began < 30
    assert all(one.status == 200 for one in running.report.sent)


@pytest.mark.parametrize("error", [AssertionError("the journey's own"), KeyError("x")])
def test_a_mistake_of_the_journey_is_raised_and_not_counted(error: Exception) -> None:
    def send(number: int) -> Response:
        raise error

    with pytest.raises(type(error)), load(send, per_second=100, at_most=0.1):
        pass


def test_a_failure_of_the_body_ends_it() -> None:
    with pytest.raises(RuntimeError, match="the drill"), load(well, at_most=60):
        raise RuntimeError("the drill")


@pytest.mark.parametrize(
    ("per_second", "at_most", "threads", "says"),
    [
        (101, 1, 1, "per_second: must be above 0 and at most 100, got 101"),
        (0, 1, 1, "per_second: must be above 0 and at most 100, got 0"),
        (100, 51, 1, "requests: must be above 0 and at most 5000, got 5100"),
        (10, 0, 1, "requests: must be above 0 and at most 5000, got 0"),
        (10, 1, 33, "threads: must be above 0 and at most 32, got 33"),
    ],
)
def test_no_more_than_a_small_load(per_second: float, at_most: float, threads: int, says: str) -> None:
    with (
        pytest.raises(ValueError, match=says),
        load(well, per_second=per_second, at_most=at_most, threads=threads),
    ):
        pass


def test_a_report_says_how_long_the_outage_was_and_how_quick_the_answers() -> None:
    times = [(0.0, 0.1, 200), (1.0, 0.2, 503), (2.0, 0.3, 200), (4.5, 0.4, None), (5.0, 4.0, 200)]
    report = Report([Sent(at, took, status, "" if status else "ReadTimeoutError") for at, took, status in times])
    assert report.outage == 3.5
    assert (report.percentile(50), report.percentile(99), report.slowest) == (0.3, 4.0, 4.0)
    assert report.shown() == {
        "sent": 5,
        "lost": 2,
        "answers": "3 x 200, 1 x 503, 1 x ReadTimeoutError",
        "outage_s": 3.5,
        "p50_ms": 300,
        "p99_ms": 4000,
    }


def test_a_report_of_nothing_says_nothing() -> None:
    assert Report([]).shown()["p99_ms"] == 0
    assert Report([]).outage == 0


@pytest.mark.parametrize(("status", "lost"), [(200, False), (204, False), (301, True), (404, True), (None, True)])
def test_only_what_was_asked_for_counts(status: int | None, lost: bool) -> None:
    assert Sent(0, 0, status).lost is lost
