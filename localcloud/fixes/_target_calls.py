"""The calls of the Elastic Load Balancing API that are about targets."""

import functools
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from localcloud.fixes._targets import Target, group


def calls(alb: Any) -> dict[str, Callable[[Any], Any]]:
    """The handlers by action.

    Args:
        alb: the emulator's module.
    """
    handlers = {"RegisterTargets": _register, "DeregisterTargets": _deregister, "DescribeTargetHealth": _health}
    return {action: functools.partial(handler, alb) for action, handler in handlers.items()}


def _listed(alb: Any, params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while name := alb._p(params, f"Targets.member.{len(found) + 1}.Id"):
        at = f"Targets.member.{len(found) + 1}"
        entry: dict[str, Any] = {"Id": name}
        if port := alb._p(params, f"{at}.Port"):
            entry["Port"] = int(port)
        if zone := alb._p(params, f"{at}.AvailabilityZone"):
            entry["AvailabilityZone"] = zone
        found.append(entry)
    return found


def _known(alb: Any, params: Any) -> tuple[str, Any]:
    arn = alb._p(params, "TargetGroupArn")
    return arn, None if arn in alb._tgs else alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")


def _register(alb: Any, params: Any) -> Any:
    arn, refused = _known(alb, params)
    if refused:
        return refused
    listed, default = alb._targets.setdefault(arn, []), alb._tgs[arn]["Port"]
    for entry in _listed(alb, params):
        if _key(entry, default) not in {_key(one, default) for one in listed}:
            listed.append(entry)
    group(arn).sync()
    return alb._empty("RegisterTargets")


def _deregister(alb: Any, params: Any) -> Any:
    arn, refused = _known(alb, params)
    if refused:
        return refused
    given, default = _listed(alb, params), alb._tgs[arn]["Port"]
    # Without a port every registration of the target is meant.
    ids, keys = {one["Id"] for one in given if "Port" not in one}, {_key(one, default) for one in given}
    kept = [one for one in alb._targets.get(arn, []) if one["Id"] not in ids and _key(one, default) not in keys]
    alb._targets[arn] = kept
    group(arn).sync()
    return alb._empty("DeregisterTargets")


def _key(entry: dict[str, Any], default: int) -> tuple[str, int]:
    return entry["Id"], int(entry.get("Port") or default)


def _health(alb: Any, params: Any) -> Any:
    arn, refused = _known(alb, params)
    if refused:
        return refused
    default, known = alb._tgs[arn]["Port"], list(group(arn).described())
    wanted = [_key(entry, default) for entry in _listed(alb, params)]
    if alb._tgs[arn].get("TargetType") == "lambda":
        known = [Target(one.host, one.port, "all", "healthy", ("", "")) for one in known]
    missing = [
        Target(*key, "", "unused", ("Target.NotRegistered", "Target is not registered to the target group"))
        for key in wanted
        if key not in {(one.host, one.port) for one in known}
    ]
    shown = [one for one in known if not wanted or (one.host, one.port) in wanted] + missing
    members = "".join(_member(one, alb._tgs[arn]) for one in shown)
    text = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    return alb._xml(200, "DescribeTargetHealth", text)


def _member(target: Target, config: dict[str, Any]) -> str:
    port = config.get("HealthCheckPort", "traffic-port")
    zone = f"<AvailabilityZone>{target.zone}</AvailabilityZone>" if target.zone else ""
    reason, description = target.why
    why = f"<Reason>{reason}</Reason><Description>{escape(description)}</Description>" if reason else ""
    return (
        f"<member><Target><Id>{escape(target.host)}</Id><Port>{target.port}</Port>{zone}</Target>"
        f"<HealthCheckPort>{target.port if port == 'traffic-port' else port}</HealthCheckPort>"
        f"<TargetHealth><State>{target.state}</State>{why}</TargetHealth></member>"
    )
