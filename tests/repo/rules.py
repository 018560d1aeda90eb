"""The field's rules on every scenario: cdk-nag (AwsSolutions, Serverless) and cfn-lint.

``python -m tests.repo.rules`` prints what they find. They run here and not in the app: cdk-nag is a jsii module of its
own, which would slow everybody's ``cdk synth``.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from constructs import IConstruct
from rich.console import Console
from rich.table import Table

from tests.templates import Template, scenario_app, scenarios, template

# Imported by name, since it ships no types.
_cfnlint: Any = importlib.import_module("cfnlint")
# An acknowledgement says why, in a sentence; a word or two is no reason.
_WORDS_OF_A_REASON = 6
_REGIONS = ["us-east-1", "eu-central-1"]
# (cfn-lint rule, resource type) -> why it is accepted wherever it is found.
ACCEPTED_LINT = {
    ("W3005", "AWS::Lambda::Function"): "The CDK's functions depend on their role twice, by attribute and by DependsOn "
    "of the role with its policy; the second is what makes them wait for the policy.",
    (
        "W3005",
        "AWS::AutoScaling::ScalingPolicy",
    ): "The CDK makes a policy on requests wait for the listener, which it names "
    "too: the target group must be the load balancer's by then.",
    (
        "W3005",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
    ): "The same, for containers: it names the listener, and waits for it.",
    (
        "W3691",
        "AWS::RDS::DBInstance",
    ): "The major version alone is what RDS documents for its newest minor version, which "
    "then moves on by itself; the rule's list has minor versions.",
}


@dataclass(frozen=True, order=True)
class Finding:
    """A rule's finding at one resource."""

    path: str
    rule: str


@dataclass(frozen=True)
class Acknowledgement:
    """A finding that was accepted, where and why."""

    construct: IConstruct
    rule: str
    reason: str

    @property
    def path(self) -> str:
        """The construct's path."""
        return self.construct.node.path

    def covers(self, finding: Finding) -> bool:
        """Whether cdk-nag takes it for this finding: the same rule, at the construct or below."""
        return finding.rule == self.rule and f"{finding.path}/".startswith(f"{self.path}/")


@dataclass
class Review:
    """What the rules found, and what was said about it."""

    findings: list[Finding]
    acknowledgements: list[Acknowledgement]
    unacknowledged: list[Finding] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Each in one sentence; none when every finding is acknowledged, once, for one resource, with a reason."""
        said = [f"{finding.path}: {finding.rule} is found and not acknowledged" for finding in self.unacknowledged]
        for one in self.acknowledgements:
            at = f"{one.path}: the acknowledgement of {one.rule}"
            covered = [finding for finding in self.findings if one.covers(finding)]
            if not covered:
                said.append(f"{at} matches no finding; delete it, or mend the rule's name")
            if len(covered) > 1 or isinstance(one.construct, cdk.Stack | cdk.Stage):
                said.append(f"{at} covers {len(covered)} resources; acknowledge each by itself")
            if len(one.reason.split()) < _WORDS_OF_A_REASON or not one.reason.endswith("."):
                said.append(f"{at} must give its reason in a sentence, got {one.reason!r}")
        return said


def review(app: Callable[[], cdk.App]) -> Review:
    """Build the app with its acknowledgements held back, see what the packs find, then make them and look again."""
    with _held_back() as acknowledgements:
        built = app()
    built.synth()
    found = Review(_nag(built), acknowledgements)
    for one in acknowledgements:
        accepted = cdk.Acknowledgment(id=one.rule, reason=one.reason)
        cdk.Validations.of(one.construct).acknowledge(accepted)
    found.unacknowledged = _nag(built)
    return found


@contextmanager
def _held_back() -> Iterator[list[Acknowledgement]]:
    """Collect acknowledgements instead of making them: the packs do not report what is acknowledged."""
    held: list[Acknowledgement] = []

    class Collector:
        def __init__(self, construct: IConstruct) -> None:
            self._construct = construct

        def acknowledge(self, *rules: cdk.Acknowledgment) -> None:
            held.extend(Acknowledgement(self._construct, rule.id, rule.reason) for rule in rules)

    with patch.object(cdk.Validations, "of", Collector):
        yield held


def _nag(app: cdk.App) -> list[Finding]:
    reports = [pack.validate_scope(app) for pack in (AwsSolutionsChecks(), ServerlessChecks())]
    return sorted(
        Finding(str(resource.construct_path), violation.rule_name)
        for report in reports
        for violation in report.violations
        for resource in violation.violating_resources
    )


@dataclass(frozen=True)
class Lint:
    """What cfn-lint says of a resource."""

    rule: str
    resource_type: str
    message: str

    @property
    def accepted(self) -> bool:
        """Whether ``ACCEPTED_LINT`` says why."""
        return (self.rule, self.resource_type) in ACCEPTED_LINT


def lints(source: Template) -> list[Lint]:
    """Errors and warnings of cfn-lint."""
    found = []
    for match in _cfnlint.lint(json.dumps(source), config=_cfnlint.ManualArgs(regions=_REGIONS)):
        logical_id = str(match.path[1]) if match.path and len(match.path) > 1 else ""
        resource = source.get("Resources", {}).get(logical_id, {})
        message = f"{logical_id or 'template'}: {match.rule.id} {match.message}"
        found.append(Lint(match.rule.id, resource.get("Type", ""), message))
    return found


@cache
def review_of(key: str) -> Review:
    """The review of a scenario."""
    return review(lambda: scenario_app(key))


@cache
def lints_of(key: str) -> Sequence[Lint]:
    """cfn-lint on a scenario's template."""
    return lints(template(key))


def main() -> int:
    """Print what was found and what was said about it; 1 when something is left to do."""
    console = Console()
    table = Table("scenario", "found", "acknowledged", "cfn-lint", "to do", title="Rules")
    problems: list[str] = []
    for key in scenarios():
        found, linted = review_of(key), lints_of(key)
        left = [*found.problems(), *(one.message for one in linted if not one.accepted)]
        counts = (len(found.findings), len(found.acknowledgements), len(linted), len(left))
        table.add_row(key, *map(str, counts))
        problems += [f"{key}: {problem}" for problem in left]
    console.print(table)
    for problem in problems:
        console.print(problem, style="red", markup=False)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
