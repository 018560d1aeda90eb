"""Adds resource types to the emulator's CloudFormation; the template stays as it is. Runs inside the emulator.

Three kinds of entry, each in a file of `resource_types` that defines `register(registry)`:

- `adapter`: the emulator has the service; a create and a delete call of its API make the resource.
- `relation`: as adapter, for what only ties two resources together and has no identity of its own.
- `recorded`: the emulator has no such service; the resource is written down and reported as RECORDED ONLY.

A type that the emulator handles by itself is never overridden: adding one is refused.
"""

import importlib
import inspect
import pkgutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from localcloud import resource_types
from localcloud.internals import EmulatorMismatchError, need

Props = dict[str, Any]
Call = tuple[str, dict[str, str]]
"""An API call of the Query protocol: action and parameters."""


class Registry:
    """The types added to the emulator's handlers."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers
        self.kinds: dict[str, str] = {}
        """Type -> "adapter" or "recorded"."""

    def adapter(
        self,
        resource_type: str,
        *,
        service: str,
        create: Callable[[str, Props], Call],
        delete: Callable[[str, Props], Call],
        physical_id: Callable[[ET.Element], str],
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Make the resource through an API of the emulator. A changed one is replaced, as when AWS names it itself.

        Args:
            resource_type: `AWS::<Service>::<Type>`.
            service: the emulator's module, `iam`.
            create: (a name for it, properties) -> call.
            delete: (physical id, properties) -> call.
            physical_id: reads Ref from the answer to the create call.
            attributes: GetAtt name -> tag of the element in the create call's answer that holds it.
        """

        def made(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
            name = need("services.cloudformation.provisioners", "_physical_name")._physical_name(stack_name, logical_id)
            answer = call(service, *create(name, props))
            found = {name: answer.findtext(f".//{tag}", "") for name, tag in (attributes or {}).items()}
            return physical_id(answer), found

        def updated(old_id: str, old: Props, new: Props, stack_name: str, logical_id: str) -> Any:
            call(service, *delete(old_id, old))
            return made(logical_id, new, stack_name)

        def deleted(old_id: str, props: Props) -> None:
            call(service, *delete(old_id, props))

        self._add(resource_type, "adapter", made, updated, deleted)

    def relation(
        self,
        resource_type: str,
        *,
        service: str,
        do: Callable[[Props], list[Call]],
        undo: Callable[[Props], list[Call]],
    ) -> None:
        """Tie resources together by calls of an API of the emulator; Ref is a made-up id.

        Args:
            resource_type: `AWS::<Service>::<Type>`.
            service: the emulator's module, `iam`.
            do: properties -> calls.
            undo: properties -> calls.
        """

        def made(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
            for action, parameters in do(props):
                call(service, action, parameters)
            return f"{stack_name}-{logical_id}", {}

        def updated(old_id: str, old: Props, new: Props, stack_name: str, logical_id: str) -> Any:
            deleted(old_id, old)
            return made(logical_id, new, stack_name)

        def deleted(_old_id: str, props: Props) -> None:
            for action, parameters in undo(props):
                call(service, action, parameters)

        self._add(resource_type, "adapter", made, updated, deleted)

    def recorded(self, resource_type: str, *, attributes: Callable[[str, Props], dict[str, str]] | None = None) -> None:
        """Write the resource down; nothing runs behind it.

        Args:
            resource_type: `AWS::<Service>::<Type>`.
            attributes: (physical id, properties) -> what GetAtt answers.
        """
        store = need("services.cloudcontrol", "_resources", "_resource_key")
        encode = need("services.cloudformation.provisioners", "json").json.dumps

        def keep(name: str, props: Props) -> tuple[str, dict[str, str]]:
            entry = {"TypeName": resource_type, "Identifier": name, "Properties": encode(props)}
            store._resources[store._resource_key(resource_type, name)] = entry
            return name, attributes(name, props) if attributes else {}

        def made(logical_id: str, props: Props, stack_name: str) -> Any:
            physical_name = need("services.cloudformation.provisioners", "_physical_name")._physical_name
            return keep(physical_name(stack_name, logical_id), props)

        def updated(name: str, _old: Props, new: Props, _stack_name: str, _logical_id: str) -> Any:
            return keep(name, new)

        def deleted(name: str, _props: Props) -> None:
            store._resources.pop(store._resource_key(resource_type, name), None)

        self._add(resource_type, "recorded", made, updated, deleted)

    def _add(self, resource_type: str, kind: str, create: Any, update: Any, delete: Any) -> None:
        if resource_type in self._handlers:
            raise EmulatorMismatchError(f"the emulator handles {resource_type} by itself: remove our entry for it")
        self._handlers[resource_type] = {
            "create": create,
            "update": update,
            "update_with_logical_id": True,
            "delete": delete,
        }
        self.kinds[resource_type] = kind


def native_types() -> list[str]:
    """The resource types that the emulator handles by itself; ask before `install`."""
    return sorted(need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS)


def install() -> dict[str, str]:
    """Add every type of `resource_types`; type -> kind."""
    registry = Registry(need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS)
    for module in sorted(each.name for each in pkgutil.iter_modules(resource_types.__path__)):
        importlib.import_module(f"{resource_types.__name__}.{module}").register(registry)
    return registry.kinds


def call(service: str, action: str, parameters: Mapping[str, str]) -> ET.Element:
    """Call the emulator's own API of a Query-protocol service in process; the answer without namespaces.

    In process, since a call over HTTP from a CloudFormation handler would wait for itself.

    Raises:
        ValueError: the service refused; CloudFormation shows the message as the resource's failure.
    """
    handle = need(f"services.{service}", "handle_request").handle_request
    body = urlencode({"Action": action, "Version": "", **parameters}).encode()
    answer = handle("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, body, {})
    status, _headers, text = _finished(answer, service, action)
    root = ET.fromstring(text)  # noqa: S314 - the emulator's own answer
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if status >= 300:  # noqa: PLR2004
        raise ValueError(f"{action}: {root.findtext('.//Code')}: {root.findtext('.//Message')}")
    return root


def _finished(answer: Any, service: str, action: str) -> Any:
    """The result of a handler that never waits, though it is declared async."""
    if not inspect.isawaitable(answer):
        return answer
    steps = answer.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise EmulatorMismatchError(f"{service}.{action} waits now: its types must run on a worker thread")
