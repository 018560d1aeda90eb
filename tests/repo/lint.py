"""cfn-lint on every scenario, and what is accepted of it."""

import importlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from tests.templates import Template, kept, template, tool

# Imported by name, since it ships no types.
_cfnlint: Any = importlib.import_module("cfnlint")
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
def lints_of(key: str) -> Sequence[Lint]:
    """cfn-lint on a scenario's template."""

    def made() -> str:
        return json.dumps([asdict(one) for one in lints(template(key))])

    return [Lint(**one) for one in json.loads(kept(f"{key}.lint-{tool('cfn-lint', __file__)}.json", made))]
