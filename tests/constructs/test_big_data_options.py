"""The stacks that the ingestion adds when asked: none by default, each clean, an unknown one refused."""

import json

import pytest

from tests.repo.lint import lints
from tests.repo.rules import Finding, review
from tests.templates import Template, scenario_app, scratch

KEY = "big-data-ingestion"
USER = "arn:aws:quicksight:eu-west-1:123456789012:user/default/ann"


def templates(**context: str) -> dict[str, Template]:
    """Stack id -> template."""
    outdir = scratch()
    scenario_app(KEY, outdir=outdir, **context).synth()
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in outdir.glob("*.template.json")}


def test_nothing_is_added_unless_asked() -> None:
    assert set(templates()) == {"BigDataIngestion"}


def test_each_is_a_stack_of_its_own() -> None:
    made = templates(options="redshift, quicksight", quicksight_user=USER)
    assert set(made) == {"BigDataIngestion", "BigDataWarehouse", "BigDataDashboards"}
    kinds = {each["Type"] for each in made["BigDataIngestion"]["Resources"].values()}
    assert not {kind for kind in kinds if "Redshift" in kind or "QuickSight" in kind}


def test_their_templates_are_clean() -> None:
    made = templates(options="redshift,quicksight", quicksight_user=USER)
    for name in ("BigDataWarehouse", "BigDataDashboards"):
        assert [found.message for found in lints(made[name]) if not found.accepted] == []
    found = review(lambda: scenario_app(KEY, options="redshift,quicksight", quicksight_user=USER))
    # The reader of reports in another stack: its wildcard has a name there that is known after synth only.
    left = {(one.path, one.rule.split("[")[0]) for one in found.unacknowledged}
    assert left == {("BigDataWarehouse/Warehouse/Reader/DefaultPolicy/Resource", "AwsSolutions-IAM5")}
    assert all(isinstance(one, Finding) for one in found.unacknowledged)


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"options": "redshift,timestream"}, "options: must be of .*quicksight, redshift.*, got timestream"),
        ({"options": "quicksight"}, "quicksight_user: must be the ARN of a user of QuickSight, got none"),
        ({"options": "quicksight", "quicksight_user": "ann"}, "user: must be the ARN of a user or group"),
    ],
)
def test_an_option_that_cannot_be_is_refused(context: dict[str, str], says: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match=says):
        templates(**context)
