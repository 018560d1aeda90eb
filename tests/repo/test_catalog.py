"""Adding a scenario adds files and edits no list; what is half there, or left over, is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from stacks import catalog
from stacks.scenario import stack_id
from tests.repo.completeness import journey_reads, left_over, missing_parts, packages, servers
from tests.templates import ROOT, Template, scenarios, template

TEMPLATE: Template = {
    "Resources": {
        "F": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "worker.handler.handler"}},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "boxed"}]}},
        "Servers": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {
                    "UserData": {
                        "Fn::Base64": {"Fn::Join": ["", ["ExecStart=/usr/bin/python3.13 -m booted\n", {"Ref": "A"}]]}
                    }
                }
            },
        },
        "CustomResource": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "index.handler"}},
    },
    "Outputs": {"QueueUrl": {}},
}
PARTS = {
    "stacks/two_words.py": "",
    "journeys/two_words.py": "READS = ('QueueUrl',)",
    "tests/stacks/test_two_words.py": "",
    "tests/functions/test_worker_rules.py": "",
    "tests/servers/test_boxed.py": "",
    "tests/servers/test_booted.py": "",
    "lambda_src/worker/__init__.py": "",
    "container_src/boxed/__main__.py": "",
    "container_src/booted/__main__.py": "",
    "container_src/kit/__init__.py": "",
}
USED = {"worker", "boxed", "booted"}


@pytest.mark.parametrize("key", scenarios())
def test_a_scenario_has_all_its_parts(key: str) -> None:
    assert missing_parts(ROOT, key, template(key)) == []


def test_nothing_is_left_over() -> None:
    used = {package for key in scenarios() for package in packages(template(key)) | servers(template(key))}
    assert left_over(ROOT, scenarios(), used) == []


@pytest.mark.parametrize("key", scenarios())
def test_a_journey_reads_something(key: str) -> None:
    assert journey_reads(ROOT / "journeys" / f"{key.replace('-', '_')}.py")


@pytest.mark.parametrize("key", scenarios())
def test_every_name_comes_from_one_stem(key: str) -> None:
    (scenario,) = catalog.load([key])
    assert (scenario.key, scenario.module, scenario.stack_id) == (key, key.replace("-", "_"), stack_id(key))
    assert len(scenario.summary) > 20
    assert scenario.source


def _checkout(root: Path, parts: dict[str, str]) -> Path:
    for name, text in parts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_servers_are_found_in_containers_and_in_user_data() -> None:
    assert servers(TEMPLATE) == {"boxed", "booted"}


def test_a_whole_scenario_lacks_nothing(tmp_path: Path) -> None:
    _checkout(tmp_path, PARTS)
    assert missing_parts(tmp_path, "two-words", TEMPLATE) == []
    assert left_over(tmp_path, ["two-words"], USED) == []


@pytest.mark.parametrize("part", [part for part in PARTS if "_src/" not in part])
def test_each_missing_part_is_named(part: str, tmp_path: Path) -> None:
    _checkout(tmp_path, {name: text for name, text in PARTS.items() if name != part})
    (said,) = missing_parts(tmp_path, "two-words", TEMPLATE)
    wanted = part.replace("_rules", "").replace(".py", "*.py") if "test_worker" in part or "/servers/" in part else part
    assert said == f"two-words: {wanted} is missing"


def test_an_output_that_is_not_there_is_named(tmp_path: Path) -> None:
    _checkout(tmp_path, PARTS | {"journeys/two_words.py": "READS: tuple[str, ...] = ('QueueUrl', 'TopicArn')"})
    assert missing_parts(tmp_path, "two-words", TEMPLATE) == [
        "two-words: its journey reads TopicArn, which is no output of its stack"
    ]


def test_a_journey_that_does_not_say_what_it_reads_is_refused(tmp_path: Path) -> None:
    _checkout(tmp_path, PARTS | {"journeys/two_words.py": "reads = ()"})
    with pytest.raises(AssertionError, match=r"two_words\.py: must say what it READS"):
        missing_parts(tmp_path, "two-words", TEMPLATE)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("journeys/gone.py", "journeys/gone.py belongs to no scenario"),
        ("tests/stacks/test_gone.py", "tests/stacks/test_gone.py belongs to no scenario"),
        ("tests/stacks/test_two_wordsy.py", "tests/stacks/test_two_wordsy.py belongs to no scenario"),
        ("lambda_src/gone/__init__.py", "lambda_src/gone is used by no scenario"),
        ("container_src/gone/__main__.py", "container_src/gone is used by no scenario"),
    ],
)
def test_what_is_left_over_is_named(part: str, said: str, tmp_path: Path) -> None:
    several = {"tests/stacks/test_two_words_alone.py": ""}
    _checkout(tmp_path, PARTS | several | {part: ""})
    assert left_over(tmp_path, ["two-words"], USED) == [said]


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    every = ", ".join(f"{key} \\({stack_id(key)}\\)" for key in scenarios())
    with pytest.raises(catalog.UnknownScenarioError, match=f"no such scenario 'nope', 'OrderQueu'; there are: {every}"):
        catalog.load(["order-queue", "nope", "OrderQueu"])


@pytest.mark.parametrize("name", ["order-queue", "order_queue", "OrderQueue"])
def test_a_scenario_is_found_by_key_module_and_stack_id(name: str) -> None:
    assert [scenario.key for scenario in catalog.load([name, "order-queue"])] == ["order-queue"]


def test_without_a_name_all_are_loaded() -> None:
    assert [scenario.key for scenario in catalog.load()] == scenarios()


def test_a_named_scenario_is_all_that_is_imported() -> None:
    """What ``cdk synth -c scenario=OrderQueue`` does, in a process of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            """
import sys, aws_cdk, app
app.build(aws_cdk.App(context={"scenario": "OrderQueue", "aws:cdk:bundling-stacks": []}))
ours = {"stacks", "journeys", "cdk_nag", "boto3"}
print(*sorted(name for name in sys.modules if name.split(".")[0] in ours))
""",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        "stacks",
        "stacks.catalog",
        "stacks.order_queue",
        "stacks.scenario",
        "stacks.settings",
    ]


def test_the_app_ends_with_one_sentence_when_the_name_is_unknown() -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={"CDK_CONTEXT_JSON": '{"scenario": "nope"}', "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if not line.startswith("b'")]
    assert len(said) == 1
    assert said[0].startswith("error: scenario: no such scenario 'nope'; there are: ")
