"""Templates of scenarios for the CloudFormation API, to be changed and deleted there without the command line."""

from stacks.scenario import stack_id
from tests.templates import Template, resources, scenario_app

# The same local cloud may have the scenario itself: names that the template gives must be others.
_PREFIX = "Probe-"


def resources_of(key: str, **context: str) -> Template:
    """Logical id -> resource, of a clone beside the scenario.

    The functions' code is not published here, so they have another, which does nothing.
    """
    made = scenario_app(key, outdir=None, retain="false", prefix=_PREFIX, **context).synth()
    found: Template = made.get_stack_by_name(f"{_PREFIX}{stack_id(key)}").template
    for function in resources(found, "AWS::Lambda::Function").values():
        function.pop("Layers", None)
        function["Code"] = {"ZipFile": "def handler(event, context): return None"}
    return {name: one for name, one in found["Resources"].items() if one["Type"] != "AWS::Lambda::LayerVersion"}


def of_type(template: Template, kind: str) -> list[str]:
    """The logical ids of a type."""
    return [name for name, one in template.items() if one["Type"] == kind]
