"""Templates of scenarios for the CloudFormation API, to be changed and deleted there without the command line."""

from tests.templates import Template, resources, scenario_app


def resources_of(key: str, stack: str, **context: str) -> Template:
    """Logical id -> resource; the functions' code is not published here, so they have another, which does nothing."""
    found: Template = (
        scenario_app(key, outdir=None, retain="false", **context).synth().get_stack_by_name(stack).template
    )
    for function in resources(found, "AWS::Lambda::Function").values():
        function.pop("Layers", None)
        function["Code"] = {"ZipFile": "def handler(event, context): return None"}
    return {name: one for name, one in found["Resources"].items() if one["Type"] != "AWS::Lambda::LayerVersion"}


def of_type(template: Template, kind: str) -> list[str]:
    """The logical ids of a type."""
    return [name for name, one in template.items() if one["Type"] == kind]
