"""Steps, what is printed of them, files and clean-up."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from journeys._results import StepResult
from journeys._target import Target
from journeys._world import NotRunError, Outputs, World


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def world(tmp_path: Path, printed: io.StringIO) -> World:
    outputs = {"QueueUrl": "https://sqs/q", "ApiUrl": "https://api"}
    return World("order-queue", Target.aws("eu-west-1"), outputs, build=tmp_path, console=Console(file=printed))


def only(world: World) -> StepResult:
    (step,) = world.steps.results
    return step


def test_a_step_passes_with_what_it_showed(world: World, printed: io.StringIO) -> None:
    with world.step("an order [1] is stored") as step:
        step.show(status=202, id="abc")
        step.show(stored=True, share=float("nan"), path=Path("a/b"), nothing=None)
    found = only(world)
    assert (found.name, found.result, found.reason) == ("an order [1] is stored", "passed", None)
    assert found.evidence == {
        "status": 202,
        "id": "abc",
        "stored": True,
        "share": "nan",
        "path": "a/b",
        "nothing": None,
    }
    lines = printed.getvalue().splitlines()
    assert lines[0].startswith("  ✓ an order [1] is stored  0.")
    assert lines[1:] == ["      status=202  id=abc  stored=True  share=nan  path=a/b  nothing=None"]


def test_what_does_not_fit_on_a_line_is_aligned_below(world: World, printed: io.StringIO) -> None:
    with world.step("long") as step:
        step.show(status=202, detail="x" * 100)
    assert printed.getvalue().splitlines()[1:] == ["      status = 202", f"      detail = {'x' * 100}"]


def fail_with(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def fail_an_assert() -> None:
    stored = ["a"]
    assert stored == ["a", "b"]


def fail_a_bare_assert() -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (fail_with(AssertionError("stored twice:\n  abc")), "stored twice: abc"),
        (
            fail_with(ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Publish")),
            "An error occurred (AccessDenied) when calling the Publish operation: no",
        ),
        (fail_with(ValueError("odd")), "ValueError: odd"),
        (fail_with(TimeoutError()), "TimeoutError"),
        (fail_a_bare_assert, "raise AssertionError (test_world_steps.py:"),
        (lambda: Outputs().__getitem__("Url"), "KeyError: the stack has no output Url; it has no output at all"),
        (fail_with(AssertionError("x" * 5000)), "x" * 599 + "…"),
    ],
)
def test_a_failing_step_says_why_and_raises(
    world: World, printed: io.StringIO, body: Callable[[], None], reason: str
) -> None:
    def run() -> None:
        with world.step("fails") as step:
            step.show(sent=3)
            body()

    with pytest.raises((AssertionError, ClientError, ValueError, TimeoutError, KeyError)) as caught:
        run()
    found = only(world)
    assert found.result == "failed"
    assert found.reason is not None
    assert found.reason.startswith(reason)
    assert found.evidence == {"sent": 3}
    assert "✗ fails" in printed.getvalue()
    log = (world.folder / "traceback.log").read_text()
    assert log.startswith("fails\nTraceback (most recent call last)")
    assert type(caught.value).__name__ in log


def test_the_log_begins_anew_and_an_old_one_goes(world: World, tmp_path: Path) -> None:
    world.save("traceback.log", "old")
    World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path)
    assert not (world.folder / "traceback.log").exists()


def test_what_cannot_be_done_here_is_not_run_and_the_journey_goes_on(world: World, printed: io.StringIO) -> None:
    with world.step("a text arrives"):
        world.sms("+491701")
    with world.step("goes on"):
        pass
    first, second = world.steps.results
    assert (first.result, first.reason) == ("not-run", "texts to phones cannot be read back on AWS")
    assert second.result == "passed"
    assert "  – a text arrives\n      texts to phones cannot" in printed.getvalue()


def test_an_honest_skip(world: World) -> None:
    world.not_run("a cache hit", "the local cloud does not cache")
    assert only(world) == StepResult("a cache hit", "not-run", "the local cloud does not cache")
    with pytest.raises(ValueError, match=r"step 'a cache hit': not run without a reason"):
        world.not_run("a cache hit", " ")


def test_ctrl_c_passes_and_the_step_is_failed(world: World) -> None:
    with pytest.raises(KeyboardInterrupt), world.step("long"):
        raise KeyboardInterrupt
    assert (only(world).result, only(world).reason) == ("failed", "KeyboardInterrupt")


def test_no_step_in_a_step(world: World) -> None:
    with (
        pytest.raises(RuntimeError, match=r"step 'inner' begins inside step 'outer': end that one first"),
        world.step("outer"),
        world.step("inner"),
    ):
        pass
    assert [(step.name, step.result) for step in world.steps.results] == [("outer", "failed")]
    with world.step("afterwards"):
        pass


def test_an_unknown_output_names_those_that_there_are(world: World, tmp_path: Path) -> None:
    assert world.out["QueueUrl"] == "https://sqs/q"
    with pytest.raises(KeyError, match=r"the stack has no output TableName; it has ApiUrl, QueueUrl"):
        world.out["TableName"]
    with pytest.raises(KeyError, match=r"it has no output at all"):
        World("order-queue", Target.aws("eu-west-1"), {}, build=tmp_path).out["TableName"]


def test_each_world_has_its_own_token(tmp_path: Path) -> None:
    tokens = {World("k", Target.aws("eu-west-1"), {}, build=tmp_path).token for _ in range(20)}
    assert len(tokens) == 20
    assert all(token.isalnum() and token[0].isalpha() for token in tokens)


def test_saved_files_are_printed(world: World, tmp_path: Path, printed: io.StringIO) -> None:
    path = world.save("thumbnails/a.jpg", b"\xff\xd8")
    assert path == tmp_path / "journeys/order-queue/thumbnails/a.jpg"
    assert path.read_bytes() == b"\xff\xd8"
    assert f"saved {path}\n" in printed.getvalue()
    assert world.save("b.txt", "ü").read_text(encoding="utf-8") == "ü"


@pytest.mark.parametrize("name", ["../a", "/etc/a", "", ".", "a/../../b"])
def test_no_file_is_saved_elsewhere(world: World, name: str) -> None:
    with pytest.raises(ValueError, match="name: must be a file below"):
        world.save(name, b"")


def test_clean_up_goes_backwards_past_errors(world: World) -> None:
    done: list[str] = []

    def broken(name: str) -> None:
        done.append(name)
        raise ValueError(name)

    world.cleanup(done.append, "first")
    world.cleanup(broken, name="second")
    world.cleanup(done.append, "third")
    world.clean_up()
    assert done == ["third", "second", "first"]
    found = only(world)
    assert (found.name, found.result, found.reason) == ("clean up: broken", "failed", "ValueError: second")
    assert "in broken" in (world.folder / "traceback.log").read_text()
    world.clean_up()
    assert len(done) == 3


def test_a_clean_up_that_cannot_be_done_is_not_run(world: World) -> None:
    world.cleanup(fail_with(NotRunError("nobody can")))
    world.clean_up()
    assert (only(world).result, only(world).reason) == ("not-run", "nobody can")


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", "  ✓ works"), ("ascii", "  ok works")])
def test_a_console_without_signs_gets_words(tmp_path: Path, encoding: str, expected: str) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as file:
        world = World("k", Target.aws("eu-west-1"), {}, build=tmp_path, console=Console(file=file))
        with world.step("works"):
            pass
        file.flush()
        assert raw.getvalue().decode(encoding).startswith(expected)


def test_a_terminal_shows_the_running_step(tmp_path: Path) -> None:
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    world = World("k", Target.aws("eu-west-1"), {}, build=tmp_path, console=console)
    with world.step("a slow one"):
        # Painted by a thread, from the first tenth of a second on.
        world.eventually(lambda: "a slow one" in printed.getvalue(), within=5, what="the running step")
        assert "✓" not in printed.getvalue()
    assert "✓" in printed.getvalue()
