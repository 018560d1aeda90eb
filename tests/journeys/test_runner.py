"""Finding journeys and running them."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from journeys import _runner
from journeys._report import Resources, ScenarioResult
from journeys._runner import BrokenJourneyError, Journey, UnknownJourneyError, load, run_journey, select, stack_id
from journeys._target import Target
from journeys._world import NotRunError, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    outputs = {"QueueUrl": "https://sqs/q", "ApiUrl": "https://api"}
    console = Console(file=io.StringIO())
    return World("order-queue", Target.aws("eu-west-1"), outputs, build=tmp_path, console=console)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An importable package of journeys, with a name of its own, as Python imports a name only once."""
    name = re.sub(r"\W", "_", f"package_of_{request.node.name}")
    folder = tmp_path / name
    folder.mkdir()
    files = {
        "__init__.py": "",
        "_private.py": "raise AssertionError('private modules are no journeys')",
        "order_queue.py": "READS = ('QueueUrl',)\ndef run(world):\n    with world.step('works'): pass\n",
        "sns_fanout.py": "READS = ()\nrun = print\n",
        "no_run.py": "READS = ()\n",
        "no_reads.py": "def run(world): pass\n",
        "text_reads.py": "READS = 'Url'\ndef run(world): pass\n",
        "number_reads.py": "READS = (1,)\ndef run(world): pass\n",
    }
    for file, text in files.items():
        (folder / file).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def run(world: World, body: Callable[[World], None], *, reads: tuple[str, ...] = ()) -> ScenarioResult:
    return run_journey("order-queue", world, journey=Journey("order-queue", reads, body))


def outcomes(result: ScenarioResult) -> list[tuple[str, str, str | None]]:
    return [(step.name, step.result, step.reason) for step in result.steps]


def works(world: World) -> None:
    with world.step("works"):
        pass


def test_journeys_exist_by_being_modules(package: str, tmp_path: Path) -> None:
    keys = ["no-reads", "no-run", "number-reads", "order-queue", "sns-fanout", "text-reads"]
    assert _runner.discover(tmp_path / package) == keys


def test_the_own_journeys_load() -> None:
    assert [load(key).key for key in _runner.discover()] == _runner.discover()


def test_a_journey_is_loaded_by_key(package: str, world: World) -> None:
    journey = load("order-queue", package=package)
    assert (journey.key, journey.reads) == ("order-queue", ("QueueUrl",))
    assert run(world, journey.run, reads=journey.reads).result == "passed"


@pytest.mark.parametrize("key", ["nope", "-private", "order_queue", "../order-queue", ""])
def test_an_unknown_journey_names_those_that_there_are(package: str, key: str) -> None:
    with pytest.raises(UnknownJourneyError, match=rf"^there is no journey {key!r}; there are no-reads, .*order-queue,"):
        load(key, package=package)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("no-run", r"\.no_run: must define run\(world\)"),
        ("no-reads", r"\.no_reads: READS must be a tuple of output names .*, got None"),
        ("text-reads", r"\.text_reads: READS must be a tuple .*, got 'Url'"),
        ("number-reads", r"\.number_reads: READS must be a tuple .*, got \(1,\)"),
    ],
)
def test_a_broken_journey_is_named(package: str, key: str, message: str) -> None:
    with pytest.raises(BrokenJourneyError, match=message):
        load(key, package=package)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["all"], ["order-queue", "sns-fanout"]),
        (["SnsFanout"], ["sns-fanout"]),
        (["sns-fanout", "OrderQueue", "sns-fanout"], ["sns-fanout", "order-queue"]),
        (["sns-fanout", "all"], ["sns-fanout", "order-queue"]),
        ([], []),
    ],
)
def test_names_are_keys_stack_ids_or_all(names: list[str], expected: list[str]) -> None:
    assert select(names, ["order-queue", "sns-fanout"]) == expected


def test_an_unknown_name_lists_the_names() -> None:
    expected = r"^there is no journey 'order_queue'; there are order-queue, sns-fanout, all$"
    with pytest.raises(UnknownJourneyError, match=expected):
        select(["sns-fanout", "order_queue"], ["order-queue", "sns-fanout"])


def test_stack_ids() -> None:
    assert stack_id("order-queue") == "OrderQueue"
    assert stack_id("microservices") == "Microservices"


def test_a_journey_that_proves_what_it_says(world: World) -> None:
    result = run_journey(
        "order-queue",
        world,
        resources=Resources(34, 2, 1),
        journey=Journey("order-queue", ("QueueUrl",), works),
        clock=iter((10.0, 12.5)).__next__,
    )
    assert (result.key, result.result, result.seconds) == ("order-queue", "passed", 2.5)
    assert result.resources == Resources(34, 2, 1)
    assert outcomes(result) == [("works", "passed", None)]


def test_a_missing_output_fails_before_anything_is_run(world: World) -> None:
    result = run(world, works, reads=("QueueUrl", "TableName", "TopicArn"))
    assert result.result == "failed"
    reason = "OrderQueue has no output TableName, TopicArn; it has ApiUrl, QueueUrl"
    assert outcomes(result) == [("the stack has the outputs that the journey reads", "failed", reason)]


def test_a_failed_step_is_recorded_once_and_ends_the_journey(world: World) -> None:
    def body(world: World) -> None:
        works(world)
        with world.step("fails"):
            raise AssertionError("two orders")

    result = run(world, body)
    assert result.result == "failed"
    assert outcomes(result) == [("works", "passed", None), ("fails", "failed", "two orders")]


def test_a_failed_step_stays_failed_when_the_journey_goes_on(world: World) -> None:
    def body(world: World) -> None:
        with pytest.raises(AssertionError), world.step("fails"):
            raise AssertionError("two orders")
        works(world)

    assert run(world, body).result == "failed"


def test_an_exception_outside_a_step_is_a_failed_step(world: World) -> None:
    def body(world: World) -> None:
        works(world)
        world.out["TableName"]

    result = run(world, body)
    assert result.result == "failed"
    (_, (name, outcome, reason)) = outcomes(result)
    assert (name, outcome) == ("outside a step", "failed")
    assert reason == "KeyError: the stack has no output TableName; it has ApiUrl, QueueUrl"
    assert "outside a step\nTraceback" in (world.folder / "traceback.log").read_text()


def test_another_exception_after_a_failed_step_is_recorded_too(world: World) -> None:
    def body(world: World) -> None:
        try:
            with world.step("fails"):
                world.eventually(list, within=0, what="orders")
        except AssertionError as error:
            raise ValueError("odd") from error

    assert outcomes(run(world, body)) == [
        ("fails", "failed", "orders: not within 0 s; the last value was []"),
        ("outside a step", "failed", "ValueError: odd"),
    ]


def test_a_journey_without_steps_proves_nothing(world: World) -> None:
    result = run(world, lambda world: None)
    assert result.result == "failed"
    assert outcomes(result) == [("the journey proves something", "failed", "the journey order-queue ran no step")]


def test_what_cannot_be_run_at_all_is_not_run(world: World) -> None:
    def body(world: World) -> None:
        raise NotRunError("no browser here")

    result = run(world, body)
    assert result.result == "not-run"
    assert outcomes(result) == [("outside a step", "not-run", "no browser here")]


@pytest.mark.parametrize("error", [None, AssertionError("two orders")])
def test_it_is_cleaned_up_after(world: World, error: Exception | None) -> None:
    done: list[str] = []

    def body(world: World) -> None:
        world.cleanup(done.append, "a")
        world.cleanup(done.append, "b")
        with world.step("step"):
            if error is not None:
                raise error

    run(world, body)
    assert done == ["b", "a"]


def test_a_failing_clean_up_fails_the_journey(world: World) -> None:
    def leftover() -> None:
        raise ValueError("still there")

    def body(world: World) -> None:
        world.cleanup(leftover)
        works(world)

    result = run(world, body)
    assert result.result == "failed"
    assert outcomes(result)[1] == ("clean up: leftover", "failed", "ValueError: still there")


def test_a_clean_up_alone_proves_nothing(world: World) -> None:
    def body(world: World) -> None:
        def delete() -> None:
            raise NotRunError("cannot be deleted")

        world.cleanup(delete)

    assert run(world, body).result == "failed"


def test_ctrl_c_passes_after_clean_up(world: World) -> None:
    done: list[str] = []

    def body(world: World) -> None:
        world.cleanup(done.append, "a")
        with world.step("long"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(world, body)
    assert done == ["a"]
