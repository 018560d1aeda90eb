"""A function with a mounted file system works on the folder of this machine that servers of that file system have too.

Without this fix the emulator's CloudFormation drops FileSystemConfigs, and nothing is at the mount's path: here no path
is mounted; variables of the function whose values lie at or below it point to the folder instead.
"""

import os
from pathlib import Path
from typing import Any

from localcloud.internals import need
from localcloud.servers.file_systems import folder_of, moved


def apply() -> None:
    """Wrap the function's handlers, and the start of its processes."""
    handlers = need("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    functions = need("services.lambda_svc", "_functions")
    worker = need("core.lambda_runtime", "Worker").Worker
    handler, spawn = handlers["AWS::Lambda::Function"], worker._spawn

    def keep(made: Any, props: dict[str, Any]) -> Any:
        config = functions._functions[made[0]]["config"]
        config["FileSystemConfigs"] = list(props.get("FileSystemConfigs") or [])
        return made

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        return keep(handler["create"](logical_id, props, stack_name), props)

    def update(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str = "") -> Any:
        return keep(handler["update"](name, old, new, stack_name, logical_id or None), new)

    def spawned(self: Any) -> Any:
        deployed = self.config
        self.config = _led(deployed)
        try:
            return spawn(self)
        finally:
            self.config = deployed

    handlers["AWS::Lambda::Function"] = handler | {"create": create, "update": update}
    worker._spawn = spawned


def _led(config: dict[str, Any]) -> dict[str, Any]:
    """The function's configuration with its variables pointing to folders of this machine."""
    points = need("services.efs", "_access_points")._access_points
    folders = {}
    for mount in config.get("FileSystemConfigs") or []:
        point = points.get(mount["Arn"].rpartition("/")[2])
        if point:
            root = (point.get("RootDirectory") or {}).get("Path") or "/"
            every = Path(os.environ["FILE_SYSTEMS_DIR"])
            folders[mount["LocalMountPath"]] = folder_of(every, point["FileSystemId"], root)
    if not folders:
        return config
    variables = moved(config.get("Environment", {}).get("Variables", {}), folders)
    return {**config, "Environment": {**config.get("Environment", {}), "Variables": variables}}
