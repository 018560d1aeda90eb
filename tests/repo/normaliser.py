"""Make a template readable in a diff: what only says "some content changed" is replaced by whose content it is."""

import json
import re
from typing import Any, cast

from tests.templates import Template

# What the CDK adds to every stack for its own bootstrap check.
_BOILERPLATE = (("Parameters", "BootstrapVersion"), ("Rules", "CheckBootstrapVersion"))
# Logical ids that end in a hash of what they are a version of.
_VERSIONED = re.compile(r"(.*[0-9A-F]{8})[0-9a-f]{32}")
_VERSIONS = {"AWS::ApiGateway::Deployment", "AWS::ApiGatewayV2::Deployment", "AWS::Lambda::Version"}
_PINNED_IN = re.compile(r"pinned in (\w+)/requirements\.txt")
_CONTENT_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def normalised(template: Template) -> Template:
    """The template without what changes with the content of assets, and without the CDK's boilerplate.

    Asset keys become the function's name, layers' ids the package that pins them; ids of API deployments and function
    versions lose their hash; dependencies are sorted. Logical ids stay: a changed id is a replaced resource, which a
    reviewer must see.
    """
    found = cast("Template", json.loads(json.dumps(template)))
    for section, name in _BOILERPLATE:
        found.get(section, {}).pop(name, None)
        if not found.get(section, True):
            del found[section]
    resources: dict[str, dict[str, Any]] = found.get("Resources", {})
    for resource in resources.values():
        _name_assets(resource)
        if isinstance(resource.get("DependsOn"), list):
            resource["DependsOn"].sort()
    text = json.dumps(found, sort_keys=True)
    for logical_id, stable in _stable_ids(resources).items():
        text = re.sub(rf"\b{logical_id}\b", stable, text)
    return cast("Template", json.loads(_CONTENT_HASH.sub("<asset>", text)))


def _name_assets(resource: dict[str, Any]) -> None:
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::Lambda::Function" and "S3Key" in properties.get("Code", {}):
        properties["Code"]["S3Key"] = f"<asset of {properties['Handler'].split('.')[0]}>"
    if resource["Type"] == "AWS::Lambda::LayerVersion" and "S3Key" in properties.get("Content", {}):
        properties["Content"]["S3Key"] = f"<layer of {_pinned_in(properties)}>"


def _stable_ids(resources: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Logical ids that follow some content -> ids that do not."""
    stable = {}
    for logical_id, resource in resources.items():
        versioned = _VERSIONED.fullmatch(logical_id)
        if resource["Type"] in _VERSIONS and versioned:
            stable[logical_id] = f"{versioned[1]}<content>"
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            stable[logical_id] = f"DependencyLayers<{_pinned_in(resource.get('Properties', {}))}>"
    return stable


def _pinned_in(properties: dict[str, Any]) -> str:
    found = _PINNED_IN.search(str(properties.get("Description", "")))
    return found[1] if found else "unknown"
