"""Adds resource types to the emulator's CloudFormation; the template stays as it is. Runs inside the emulator.

Three kinds of entry, each in a file of `resource_types` that defines `register(registry)`:

- `adapter`: the emulator has the service; a create and a delete call of its API make the resource.
- `relation`: as adapter, for what only ties two resources together and has no identity of its own.
- `recorded`: the emulator has no such service; the resource is written down and reported as RECORDED ONLY.

What is changed keeps its id where an entry says how (`update`), and is replaced where a property is `create_only`, as
in the type's schema: then the new one is made first, and the old one goes when the stack has moved.

A type that the emulator handles by itself is never overridden: adding one is refused.
"""

import importlib
import pkgutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Mapping
from typing import Any

from localcloud import resource_types
from localcloud.calls import Call, call, do_all
from localcloud.internals import EmulatorMismatchError, need

Props = dict[str, Any]

__all__ = ["Call", "Props", "Registry", "call", "install", "native_types"]


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
        then: Callable[[str, Props], list[Call]] | None = None,
        describe: Callable[[str, Props], Call] | None = None,
        update: Callable[[str, Props, Props], list[Call]] | None = None,
        create_only: Collection[str] = (),
    ) -> None:
        """Make the resource through an API of the emulator.

        Args:
            resource_type: `AWS::<Service>::<Type>`.
            service: the emulator's module, `iam`.
            create: (a name for it, properties) -> call.
            delete: (physical id, properties) -> call.
            physical_id: reads Ref from the answer to the create call.
            attributes: GetAtt name -> tag of the element that holds it, in the answer to `describe`, else to `create`.
            then: (physical id, properties) -> calls that follow the creation. Left out: none.
            describe: (physical id, properties) -> call. Left out: attributes are those of the creation.
            update: (physical id, old properties, new ones) -> calls that change it in place; wants `describe` where
                there are attributes. Left out: a changed one is deleted and made again, under the same name.
            create_only: properties that cannot be changed in place.
        """

        def answered(made_id: str, props: Props, answer: ET.Element) -> tuple[str, dict[str, str]]:
            told = call(service, *describe(made_id, props)) if describe else answer
            return made_id, {name: told.findtext(f".//{tag}", "") for name, tag in (attributes or {}).items()}

        def made(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
            name = need("services.cloudformation.provisioners", "_physical_name")._physical_name(stack_name, logical_id)
            answer = call(service, *create(name, props))
            made_id = physical_id(answer)
            do_all(service, then(made_id, props) if then else [])
            return answered(made_id, props, answer)

        def updated(old_id: str, old: Props, new: Props, stack_name: str, logical_id: str) -> Any:
            if update is None:
                deleted(old_id, old)
                return made(logical_id, new, stack_name)
            if _changed(old, new, create_only):
                # Under another name; the stack deletes the old one when it sees that the id is another.
                seeded = need("services.cloudformation.provisioners", "_seeded_create")._seeded_create
                return seeded(made, logical_id, new, stack_name)
            do_all(service, update(old_id, old, new))
            return answered(old_id, new, ET.Element("Unchanged"))

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
        update: Callable[[Props, Props], list[Call]] | None = None,
        create_only: Collection[str] = (),
    ) -> None:
        """Tie resources together by calls of an API of the emulator; Ref is a made-up id.

        Args:
            resource_type: `AWS::<Service>::<Type>`.
            service: the emulator's module, `iam`.
            do: properties -> calls.
            undo: properties -> calls.
            update: (old properties, new ones) -> calls that change it in place. Left out: undone, and done again.
            create_only: properties that cannot be changed in place.
        """

        def made(logical_id: str, props: Props, stack_name: str) -> tuple[str, dict[str, str]]:
            do_all(service, do(props))
            made_id = f"{stack_name}-{logical_id}"
            return made_id, {"Id": made_id}

        def updated(old_id: str, old: Props, new: Props, stack_name: str, logical_id: str) -> Any:
            if update is None or _changed(old, new, create_only):
                deleted(old_id, old)
                return made(logical_id, new, stack_name)
            do_all(service, update(old, new))
            return old_id, {"Id": old_id}

        def deleted(_old_id: str, props: Props) -> None:
            do_all(service, undo(props))

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
    modules = sorted(each.name for each in pkgutil.iter_modules(resource_types.__path__))
    for module in (each for each in modules if not each.startswith("_")):
        importlib.import_module(f"{resource_types.__name__}.{module}").register(registry)
    return registry.kinds


def _changed(old: Props, new: Props, names: Collection[str]) -> bool:
    return any(old.get(name) != new.get(name) for name in names)
