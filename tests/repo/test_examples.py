"""What a reader pastes from a docstring works."""

import inspect
import json
from collections import Counter
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct

from constructs_lib import QueueWithDlq
from tests.repo.examples import example, public, runner
from tests.templates import Template, bare_stack, flags, resources, synthesized

# Whoever reads an example knows where it goes; some resources want to know it too.
THEIRS = cdk.Environment(account="111122223333", region="us-east-1")
FLAGS = {"no flags": {}, "flags of cdk.json": flags()}
CONSTRUCTS = [name for name, one in public().items() if issubclass(one, Construct)]


@pytest.mark.parametrize("context", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("name", public())
def test_the_example_runs(name: str, context: dict[str, Any]) -> None:
    source = example(public()[name])
    assert source, f"{name}: its docstring must have an Example"
    assert name in source, "an example shows its subject"
    assert len(source.splitlines()) <= 6, "an example is short"
    stack = bare_stack(env=THEIRS, **context)
    runner(source, stack)(stack)
    synthesized(stack)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_two_are_at_home_in_one_stack(name: str) -> None:
    source = example(public()[name]) or ""
    stack = bare_stack(env=THEIRS)
    run = runner(source, stack)
    run(Construct(stack, "First"))
    run(Construct(stack, "Second"))
    made = synthesized(stack)
    assert _types_below(made, "First")
    assert _types_below(made, "First") == _types_below(made, "Second")
    watched = [_watched(alarm) for alarm in resources(made, "AWS::CloudWatch::Alarm").values()]
    assert len(watched) == len(set(watched)), "two alarms that watch the same cannot tell which of two failed"


def _types_below(template: Template, scope: str) -> Counter[str]:
    return Counter(one["Type"] for name, one in template["Resources"].items() if name.startswith(scope))


def _watched(alarm: dict[str, Any]) -> str:
    return json.dumps([alarm.get("Metrics"), alarm.get("MetricName"), alarm.get("Dimensions")], sort_keys=True)


@pytest.mark.parametrize("name", public())
def test_a_public_thing_says_what_its_arguments_are(name: str) -> None:
    thing = public()[name]
    doc = inspect.getdoc(thing) or ""
    parameters = inspect.signature(thing.__dict__["__init__"]).parameters.keys() - {"self", "scope", "construct_id"}
    assert [one for one in parameters if f"\n    {one}: " not in doc] == []


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ('QueueWithDlq(stack, "Jobs", max_receives=1)', "unexpected keyword argument 'max_receives'"),
        ('QueueWithDlq(stack, "Jobs", max_receive_count=0)', "max_receive_count: must be between 1 and 1000, got 0"),
        ("jobs.enqueue(1)", "'QueueWithDlq' object has no attribute 'enqueue'"),
        ("unknown.grant(producer)", "name 'unknown' is not defined"),
    ],
)
def test_an_example_that_does_not_work_is_noticed(source: str, error: str) -> None:
    stack = bare_stack(env=THEIRS)
    run = runner(source, stack)
    with pytest.raises((TypeError, ValueError, AttributeError, NameError), match=error):
        run(stack)


def test_examples_are_read_from_docstrings() -> None:
    class With:
        """Text.

        Example:
            a = 1
            b = 2

        Attributes:
            c: d
        """

    class Without:
        """Text that says Example: in passing."""

    assert example(With) == "a = 1\nb = 2"
    assert example(Without) is None
    assert "jobs = QueueWithDlq(" in (example(QueueWithDlq) or "")
