"""Route 53 health checks: the emulator's API has them, its CloudFormation does not. Nobody checks anything."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from localcloud.internals import need

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

_CREATE_ONLY = ("Type", "MeasureLatency", "RequestInterval")


def register(registry: Registry) -> None:
    """Add the type."""
    registry._add("AWS::Route53::HealthCheck", "adapter", _create, _update, _delete)


def _create(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
    request = ET.Element("CreateHealthCheckRequest")
    physical_name = need("services.cloudformation.provisioners", "_physical_name")._physical_name
    ET.SubElement(request, "CallerReference").text = physical_name(stack_name, logical_id)
    _fill(ET.SubElement(request, "HealthCheckConfig"), props["HealthCheckConfig"])
    answer = _answer(_service()._create_health_check(bytes(ET.tostring(request))))
    identity = answer.findtext(".//Id", "")
    return identity, {"HealthCheckId": identity}


def _update(identity: str, old: Props, new: Props, stack_name: str, logical_id: str) -> tuple[str, dict[str, str]]:
    if any(old["HealthCheckConfig"].get(one) != new["HealthCheckConfig"].get(one) for one in _CREATE_ONLY):
        _delete(identity, old)
        return _create(logical_id, new, stack_name)
    request = ET.Element("UpdateHealthCheckRequest")
    _fill(request, {name: value for name, value in new["HealthCheckConfig"].items() if name not in _CREATE_ONLY})
    _answer(_service()._update_health_check(identity, bytes(ET.tostring(request))))
    return identity, {"HealthCheckId": identity}


def _delete(identity: str, _props: Props) -> None:
    _answer(_service()._delete_health_check(identity))


def _service() -> Any:
    return need("services.route53", "_create_health_check", "_update_health_check", "_delete_health_check")


def _fill(element: ET.Element, config: dict[str, Any]) -> None:
    for name, value in config.items():
        inner = ET.SubElement(element, name)
        if isinstance(value, dict):
            _fill(inner, value)
        elif isinstance(value, list):
            for one in value:
                ET.SubElement(inner, name.removesuffix("s")).text = str(one)
        else:
            inner.text = str(value).lower() if isinstance(value, bool) else str(value)


def _answer(response: Any) -> ET.Element:
    """The answer without namespaces; ValueError when the service refused."""
    status, _headers, body = response
    root: ET.Element = importlib.import_module("defusedxml.ElementTree").fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if status >= 300:  # noqa: PLR2004
        message = f"{root.findtext('.//Code')}: {root.findtext('.//Message')}"
        raise ValueError(message)
    return root
