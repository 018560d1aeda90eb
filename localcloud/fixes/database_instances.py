"""A DB instance of PostgreSQL is a PostgreSQL server, made by a template or by the API.

Without this fix the emulator has no more than a record of it when there is no Docker: nobody listens at its endpoint,
stopping, starting, rebooting, snapshots, replicas, passwords and parameter groups change nothing, and a second
zone is not told. With it each instance has a server of its own at localhost, with TLS.
"""

from collections.abc import Callable
from typing import Any

from localcloud.fixes import _database_servers as servers
from localcloud.fixes import _database_stacks as stacks
from localcloud.fixes._database_calls import Handler, Parameters, RefusedError
from localcloud.fixes._database_lifetimes import Lifetimes
from localcloud.fixes._database_servers import Instance
from localcloud.fixes._database_states import States
from localcloud.internals import need
from localcloud.off_loop import off_loop


def apply() -> None:
    """Wrap the actions, what they call, and the handlers of templates."""
    rds = need(
        "services.rds",
        *("_ACTION_MAP", "_p", "_error", "_resolve_instance", "_single_instance_response", "_instance_xml"),
        *("_snapshots", "_param_groups", "_parse_member_list", "_subnet_groups", "_instances"),
        *("_create_snapshot_internal", "_rotate_instance_password"),
        "_apply_parameter_group_changes",
    )
    for calls in (Lifetimes, States):
        for method in list(vars(calls).values()):
            if name := getattr(method, "action", None):
                before = rds._ACTION_MAP.get(name)
                rds._ACTION_MAP[name] = _answering(rds, getattr(calls(rds, before), method.__name__))
    vars(rds).update(
        _instance_xml=_told(rds._instance_xml),
        _create_snapshot_internal=_kept(rds._create_snapshot_internal),
        _rotate_instance_password=_ours(_change_password, rds._rotate_instance_password),
        _apply_parameter_group_changes=_checked(rds, rds._apply_parameter_group_changes),
    )
    stacks.apply()
    off_loop("AWS::RDS::DBInstance")


def _answering(rds: Any, handler: Handler) -> Handler:
    def answered(parameters: Parameters) -> Any:
        try:
            return handler(parameters)
        except RefusedError as error:
            return rds._error(error.code, str(error), 400)

    return answered


def _told(render: Callable[[Instance], str]) -> Callable[[Instance], str]:
    """What the emulator does not tell of an instance."""

    def told(instance: Instance) -> str:
        text = render(instance)
        if second := instance.get("SecondaryAvailabilityZone"):
            text += f"<SecondaryAvailabilityZone>{second}</SecondaryAvailabilityZone>"
        logs = "".join(f"<member>{each}</member>" for each in instance.get("EnabledCloudwatchLogsExports", []))
        exports = f"<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"
        return text.replace("<EnabledCloudwatchLogsExports/>", exports)

    return told


def _kept(create: Callable[[str, Instance], Instance]) -> Callable[[str, Instance], Instance]:
    """A snapshot has the data of now."""

    def kept(name: str, instance: Instance) -> Instance:
        made = create(name, instance)
        if servers.concerns(instance):
            servers.keep(made, instance)
            made["VpcId"] = instance.get("DBSubnetGroup", {}).get("VpcId", made["VpcId"])
            made["_MasterUserPassword"] = instance["_MasterUserPassword"]
        return made

    return kept


def _checked(rds: Any, change: Callable[..., Any]) -> Callable[..., Any]:
    """A parameter that takes a restart cannot be changed at once."""

    def checked(group: str, changes: list[tuple[str, str | None, str]], refuse_static: bool = True) -> Any:
        if refuse_static and rds._param_groups[group]["DBParameterGroupFamily"].startswith("postgres"):
            for name, _value, method in changes:
                if method == "immediate" and servers.is_static(name):
                    message = "cannot use immediate apply method for static parameter"
                    return rds._error("InvalidParameterCombination", message, 400)
        return change(group, changes, refuse_static)

    return checked


def _change_password(instance: Instance, _old: str, new: str) -> None:
    servers.server(instance).change_password(instance["MasterUsername"], new)


def _ours(wrapped: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def either(instance: Instance, *rest: Any) -> Any:
        return (wrapped if servers.concerns(instance) else original)(instance, *rest)

    return either
