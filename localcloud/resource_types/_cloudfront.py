"""Answers of the emulator's CloudFront to calls in process."""

import importlib
import xml.etree.ElementTree as ET
from typing import Any


def answer(response: Any) -> ET.Element:
    """The answer to a call without namespaces; ValueError when the service refused."""
    status, _headers, body = response
    if not body:
        return ET.Element("Empty")
    root: ET.Element = importlib.import_module("defusedxml.ElementTree").fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if status >= 300:  # noqa: PLR2004
        message = f"{root.findtext('.//Code')}: {root.findtext('.//Message')}"
        raise ValueError(message)
    return root
