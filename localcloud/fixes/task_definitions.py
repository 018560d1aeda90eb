"""A task definition of a template reads back as the API writes it: all of it, in the API's spelling.

Without this fix the emulator's CloudFormation spells nested properties (Secrets, HealthCheck, Volumes) as the template
does, so that no SDK sees them, and drops RuntimePlatform and EphemeralStorage.
"""

from typing import Any

from localcloud.internals import need

# Maps whose keys are the author's own.
_OWN_KEYS = {"options", "dockerLabels", "driverOpts", "labels"}
_IRREGULAR = {"EFSVolumeConfiguration": "efsVolumeConfiguration", "FilesystemId": "fileSystemId", "IAM": "iam"}
_LOST = ("ContainerDefinitions", "RuntimePlatform", "EphemeralStorage", "Volumes")


def apply() -> None:
    """Wrap the handlers."""
    provisioners = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "_ecs_task_def_create")
    ecs = need("services.ecs", "_task_defs")
    create = provisioners._ecs_task_def_create

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        made = ecs._task_defs[arn.rpartition("/")[2]]
        made |= spell({name: props[name] for name in _LOST if name in props})
        return arn, attributes

    # By its name: the update handler calls it too.
    vars(provisioners)["_ecs_task_def_create"] = created
    provisioners._RESOURCE_HANDLERS["AWS::ECS::TaskDefinition"]["create"] = created


def spell(value: Any) -> Any:
    """A template's value with the API's names."""
    if isinstance(value, list):
        return [spell(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        api = _IRREGULAR.get(name, name[:1].lower() + name[1:])
        found[api] = inner if api in _OWN_KEYS else spell(inner)
    return found
