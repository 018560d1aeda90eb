"""What is wrong with a JSON document, in the words of API Gateway's validator.

API Gateway validates with the Java library json-schema-validator (draft 4) and gives its messages, which name a field
only where one is missing or not allowed. The keywords here are those that the scenarios' models use; any other
violation is told as the library tells a failed combination.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Resolve = Callable[[str, Any], tuple[Any, Any]]
"""($ref, the document it stands in) -> (the schema it names, the document of that one)."""


def violations(value: Any, schema: Any, root: Any, resolve: Resolve) -> list[str]:
    """Messages for everything in `value` that violates `schema`, in the order of the fields' names."""
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        schema, root = resolve(schema["$ref"], root)
    if not isinstance(schema, dict):
        return []
    found = list(_own(value, schema))
    if found:
        return found
    return [message for item, sub in _children(value, schema) for message in violations(item, sub, root, resolve)]


def _own(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    kind, allowed = _type(value), schema.get("type")
    if allowed is not None:
        names = sorted(_widened(allowed if isinstance(allowed, list) else [allowed]))
        if kind not in names:
            yield f"instance type ({kind}) does not match any allowed primitive type (allowed: {_json(names)})"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield f"instance value ({_json(value)}) not found in enum (possible values: {_json(schema['enum'])})"
    if kind in {"integer", "number"}:
        yield from _number(value, schema)
    elif kind == "string":
        yield from _string(value, schema)
    elif kind == "array":
        yield from _array(value, schema)
    elif kind == "object":
        yield from _object(value, schema)


def _number(value: float, schema: dict[str, Any]) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and value < low:
        yield f"numeric instance is lower than the required minimum (minimum: {_json(low)}, found: {_json(value)})"
    if low is not None and value == low and schema.get("exclusiveMinimum"):
        yield f"numeric instance is not strictly greater than the required minimum {_json(low)}"
    if high is not None and value > high:
        yield f"numeric instance is greater than the required maximum (maximum: {_json(high)}, found: {_json(value)})"
    if high is not None and value == high and schema.get("exclusiveMaximum"):
        yield f"numeric instance is not strictly lower than the required maximum {_json(high)}"


def _string(value: str, schema: dict[str, Any]) -> Iterator[str]:
    length, short, long = len(value), schema.get("minLength", 0), schema.get("maxLength")
    if length < short:
        yield f'string "{value}" is too short (length: {length}, required minimum: {short})'
    if long is not None and length > long:
        yield f'string "{value}" is too long (length: {length}, maximum allowed: {long})'
    pattern = schema.get("pattern")
    if pattern is not None and re.search(pattern, value) is None:
        yield f'ECMA 262 regex "{pattern}" does not match input string "{value}"'


def _array(value: list[Any], schema: dict[str, Any]) -> Iterator[str]:
    length, short, long = len(value), schema.get("minItems", 0), schema.get("maxItems")
    if length < short:
        yield f"array is too short: must have at least {short} elements but instance has {length} elements"
    if long is not None and length > long:
        yield f"array is too long: must have at most {long} elements but instance has {length} elements"
    if schema.get("uniqueItems") and len({_json(item) for item in value}) < length:
        yield "array must not contain duplicate elements"


def _object(value: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    known = schema.get("properties") or {}
    if schema.get("additionalProperties") is False and (extra := sorted(set(value) - set(known))):
        yield f"object instance has properties which are not allowed by the schema: {_json(extra)}"
    if missing := sorted(set(schema.get("required") or []) - set(value)):
        yield f"object has missing required properties ({_json(missing)})"


def _children(value: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, list):
        yield from ((item, schema.get("items")) for item in value)
    elif isinstance(value, dict):
        known = schema.get("properties") or {}
        yield from ((value[name], known[name]) for name in sorted(set(value) & set(known)))


def _type(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


def _widened(names: list[str]) -> set[str]:
    return set(names) | ({"integer"} if "number" in names else set())


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
