"""Reads the plan of an Auto Scaling group from its deployed launch template."""

import base64
import re
from typing import Any

from localcloud.errors import LocalCloudError
from localcloud.servers.plan import Plan
from localcloud.servers.roles import Cloud
from localcloud.servers.services import zones_of

_ENVIRONMENT = re.compile(r"cat > /etc/(\w+)\.env <<'ENVIRONMENT'\n(.*?)^ENVIRONMENT$", re.DOTALL | re.MULTILINE)
_START = re.compile(r"^ExecStart=\S*python[\d.]* -m (\w+)$", re.MULTILINE)
_MOUNT = re.compile(r"mount .*?(fs-[0-9a-f]+)\S*:/ (/\S+)")
_ACCESS = re.compile(r"accesspoint=(fsap-[0-9a-f]+)")
_LOGS = re.compile(r'"log_group_name":\s*"([^"]+)"')
STOP_SECONDS = 30.0
"""TimeoutStopSec of the unit."""


def plan_of_group(cloud: Cloud, name: str) -> Plan:
    """The plan, from the user data with which an instance becomes a server.

    Raises:
        LocalCloudError: there is no such group, or its user data starts no package.
    """
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found:
        raise LocalCloudError(f"there is no Auto Scaling group {name}")
    (group,) = found
    template = _template(cloud, group)
    script = base64.b64decode(template.get("UserData", "")).decode()
    started, environment = _START.search(script), _ENVIRONMENT.search(script)
    if not started or not environment or started[1] != environment[1]:
        raise LocalCloudError(f"the user data of {name} starts no Python package with an environment of its own")
    logs = _LOGS.search(script)
    role = _role(cloud, template)
    return Plan(
        name=name,
        package=started[1],
        count=group["DesiredCapacity"],
        environment=dict(_pair(line) for line in environment[2].splitlines() if line),
        role=role,
        groups=tuple(group.get("TargetGroupARNs", [])),
        zones=zones_of(cloud, [one for one in group.get("VPCZoneIdentifier", "").split(",") if one]),
        log_group=logs[1] if logs else None,
        log_role=role,
        mounts=_mounts(script),
        stop_seconds=STOP_SECONDS,
    )


def _template(cloud: Cloud, group: Any) -> Any:
    named = (
        group.get("LaunchTemplate") or group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    )
    versions = cloud.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=named["LaunchTemplateId"], Versions=[named.get("Version", "$Default")]
    )["LaunchTemplateVersions"]
    return versions[0]["LaunchTemplateData"]


def _role(cloud: Cloud, template: Any) -> str | None:
    profile = template.get("IamInstanceProfile") or {}
    name = (profile.get("Name") or profile.get("Arn", "")).rpartition("/")[2]
    if not name:
        return None
    roles = cloud.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    return str(roles[0]["Arn"]) if roles else None


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _mounts(script: str) -> dict[str, tuple[str, str | None]]:
    found = {}
    for line in script.splitlines():
        if mounted := _MOUNT.search(line):
            access = _ACCESS.search(line)
            found[mounted[2]] = (mounted[1], access[1] if access else None)
    return found
