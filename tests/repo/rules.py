"""The field's rules on every scenario: cdk-nag (AwsSolutions, Serverless) and cfn-lint.

``python -m tests.repo.rules`` prints what they find. They run here and not in the app: cdk-nag is a jsii module of its
own, which would slow everybody's ``cdk synth``.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from unittest.mock import patch

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from constructs import IConstruct
from rich.console import Console
from rich.table import Table

from tests.repo.lint import lints_of
from tests.templates import kept, scenario_app, scenarios, tool

# An acknowledgement says why, in a sentence; a word or two is no reason.
_WORDS_OF_A_REASON = 6


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
class Verdict:
    """What cdk-nag says of a scenario.

    Args:
        rules: The rule of each finding.
        acknowledged: How many acknowledgements there are.
        problems: What is left to do, in sentences.
    """

    rules: list[str]
    acknowledged: int
    problems: list[str]


@cache
def verdict_of(key: str) -> Verdict:
    """The review of a scenario."""

    def made() -> str:
        found = review(lambda: scenario_app(key))
        rules = [finding.rule for finding in found.findings]
        return json.dumps(asdict(Verdict(rules, len(found.acknowledgements), found.problems())))

    return Verdict(**json.loads(kept(f"{key}.nag-{tool('cdk-nag', __file__)}.json", made)))


def main() -> int:
    """Print what was found and what was said about it; 1 when something is left to do."""
    console = Console()
    table = Table("scenario", "found", "acknowledged", "cfn-lint", "to do", title="Rules")
    problems: list[str] = []
    for key in scenarios():
        found, linted = verdict_of(key), lints_of(key)
        left = [*found.problems, *(one.message for one in linted if not one.accepted)]
        counts = (len(found.rules), found.acknowledged, len(linted), len(left))
        table.add_row(key, *map(str, counts))
        problems += [f"{key}: {problem}" for problem in left]
    console.print(table)
    for problem in problems:
        console.print(problem, style="red", markup=False)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
