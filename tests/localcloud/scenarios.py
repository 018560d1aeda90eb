"""Templates of scenarios for the CloudFormation API, to be changed and deleted there without the command line."""

import json
from typing import Any

from stacks.scenario import stack_id
from tests.templates import Template, resources, scenario_app

# The same local cloud may have the scenario itself: names that the template gives must be others.
_PREFIX = "Probe-"
# Does nothing; of a custom resource CloudFormation wants to hear that.
_CODE = """
import json, urllib.request

def handler(event, context):
    if "ResponseURL" in event:
        told = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        told |= {"Status": "SUCCESS", "PhysicalResourceId": "nothing", "Data": json.loads('%s')}
        put, body = {"method": "PUT", "headers": {"Content-Type": ""}}, json.dumps(told).encode()
        urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, **put), timeout=10).close()
"""


def resources_of(key: str, found_out: dict[str, Any] | None = None, /, **context: str) -> Template:
    """Logical id -> resource, of a clone beside the scenario.

    The functions' code is not published here, so they have another, which does nothing.

    Args:
        key: The scenario.
        found_out: What functions of custom resources would have answered.
        **context: As for the app.
    """
    made = scenario_app(key, outdir=None, retain="false", prefix=_PREFIX, **context).synth()
    found: Template = made.get_stack_by_name(f"{_PREFIX}{stack_id(key)}").template
    for function in resources(found, "AWS::Lambda::Function").values():
        function.pop("Layers", None)
        function |= {"Handler": "index.handler", "Code": {"ZipFile": _CODE % json.dumps(found_out or {})}}
    kept = {name: one for name, one in found["Resources"].items() if one["Type"] != "AWS::Lambda::LayerVersion"}
    looked_up: Template = _looked_up(kept, found.get("Mappings", {}))
    return looked_up


def _looked_up(value: Any, mappings: dict[str, Any]) -> Any:
    """Without Fn::FindInMap: what the mappings, of which probes have none, say for partition aws."""
    if isinstance(value, list):
        return [_looked_up(one, mappings) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::FindInMap" in value:
        name, _partition, key = value["Fn::FindInMap"]
        return mappings[name]["aws"][key]
    return {name: _looked_up(one, mappings) for name, one in value.items()}


def of_type(template: Template, kind: str) -> list[str]:
    """The logical ids of a type."""
    return [name for name, one in template.items() if one["Type"] == kind]
