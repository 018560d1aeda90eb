"""The app's settings: the only place that reads CDK context."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aws_cdk import RemovalPolicy

from constructs_lib import FunctionTarget

_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
OPTIONS = frozenset({"copies", "quicksight", "redshift", "replica", "shield"})
LAYERS_CACHE = Path(__file__).resolve().parent.parent / "build" / "layers"
_EDGE_CERTIFICATE = r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/\S+"


@dataclass(frozen=True)
class Settings:
    """What a stack may be told from outside, with ``cdk -c key=value``.

    Args:
        scenarios: Context ``scenario``: keys or stack ids, comma separated; empty means all. With
            ``cdk ... --exclusively`` the stacks named on the command line are taken.
        target: Context ``function_python``, ``function_architecture``, ``function_platform``: what functions run on.
        prefix: Context ``prefix``: put before every stack name, to deploy a scenario twice in one account.
        alarm_email: Context ``alarm_email``: who is told of alarms.
        retain: Context ``retain``: "true" (default) keeps stateful resources when their stack is deleted.
        options: Context ``options``: what a scenario adds when asked, comma separated; none by default. "redshift" and
            "quicksight" belong to big-data-ingestion, "replica" and "copies" to resilient-web-app, "shield" to
            software-updates.
        quicksight_user: Context ``quicksight_user``: who sees the data set of the option "quicksight".
        copies_region: Context ``copies_region``: the region of the option "copies".
        domain: Context ``domain``: the domain under which servers get names, ``orders.microservices.<domain>``. Default
            "example.com", which nobody can own: a deployment for people names another one.
        hosted_zone_id: Context ``hosted_zone_id``: the public hosted zone of ``domain``, which then gets the records.
            Left out: each stack with names makes a zone of its own, ``microservices.<domain>``, and its certificate is
            issued once that zone's name servers are entered where the domain is registered.
        nat_gateways: Context ``nat_gateways``: of each network, 0-3. Left out: one per zone. Each costs by the hour.
        interface_endpoints: Context ``interface_endpoints``: services that the scenario network has an interface
            endpoint of, comma separated; "none" for none. Default "logs,secretsmanager". Each costs by hour and zone.
        vpn_remote: Context ``vpn_remote``: public address of the device that the scenario network has a VPN to; "none"
            for no VPN. Default 203.0.113.10, an address of RFC 5737: a stand-in, whose connection costs by the hour
            and whose tunnels stay down.
        vpn_networks: Context ``vpn_networks``: the networks behind it, comma separated. Default "192.168.0.0/16".
        offload: Context ``offload``: "true" (default) puts an edge in front of the servers of software-updates.
        edge_certificate_arn: Context ``edge_certificate_arn``: a certificate of us-east-1 for the names that lead to an
            edge. Left out: the stack's own, which CloudFront takes when the stack is in that region; elsewhere
            CloudFormation refuses the template.

    Raises:
        ValueError: A switch is neither "true" nor "false", the target is not supported, an option is unknown, or a
            value has another form.
    """

    scenarios: tuple[str, ...] = ()
    target: FunctionTarget = field(default_factory=lambda: FunctionTarget(layers_cache=LAYERS_CACHE))
    prefix: str = ""
    alarm_email: str | None = None
    retain: bool = True
    options: tuple[str, ...] = ()
    quicksight_user: str | None = None
    copies_region: str | None = None
    domain: str = "example.com"
    hosted_zone_id: str | None = None
    nat_gateways: int | None = None
    interface_endpoints: tuple[str, ...] = ("logs", "secretsmanager")
    vpn_remote: str | None = "203.0.113.10"
    vpn_networks: tuple[str, ...] = ("192.168.0.0/16",)
    offload: bool = True
    edge_certificate_arn: str | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.options) - OPTIONS)
        if unknown:
            raise ValueError(f"options: must be of {', '.join(sorted(OPTIONS))}, got {', '.join(unknown)}")
        if not re.fullmatch(_DOMAIN, self.domain):
            raise ValueError(f"domain: must be a domain name as example.com, in lower case, got {self.domain!r}")
        if self.edge_certificate_arn and not re.fullmatch(_EDGE_CERTIFICATE, self.edge_certificate_arn):
            rule = "must be the ARN of a certificate in us-east-1"
            raise ValueError(f"edge_certificate_arn: {rule}, got {self.edge_certificate_arn!r}")

    @classmethod
    def from_context(cls, context: Callable[[str], Any]) -> Self:
        """Read the settings from ``app.node.try_get_context``."""
        retain, offload = _switch(context, "retain"), _switch(context, "offload")
        target = FunctionTarget(
            python=str(context("function_python") or FunctionTarget.python),
            architecture=str(context("function_architecture") or FunctionTarget.architecture),
            platform=context("function_platform"),
            layers_cache=LAYERS_CACHE,
        )
        return cls(
            scenarios=_scenarios(context),
            target=target,
            prefix=str(context("prefix") or ""),
            alarm_email=context("alarm_email"),
            retain=retain,
            options=_listed(context("options")),
            quicksight_user=context("quicksight_user"),
            copies_region=context("copies_region"),
            domain=str(context("domain") or cls.domain),
            hosted_zone_id=context("hosted_zone_id"),
            nat_gateways=_nat_gateways(context("nat_gateways")),
            interface_endpoints=_listed(context("interface_endpoints"), cls.interface_endpoints),
            # One alone: several would be taken for an address, and refused as none.
            vpn_remote=",".join(_listed(context("vpn_remote"), (str(cls.vpn_remote),))) or None,
            vpn_networks=_listed(context("vpn_networks"), cls.vpn_networks),
            offload=offload,
            edge_certificate_arn=context("edge_certificate_arn"),
        )

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to stateful resources when their stack is deleted."""
        return RemovalPolicy.RETAIN if self.retain else RemovalPolicy.DESTROY


def _listed(value: Any, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names of a comma separated list; "none" is the empty one."""
    names = tuple(name.strip() for name in str(value or "").split(",") if name.strip())
    return () if names == ("none",) else names or default


def _nat_gateways(value: Any) -> int | None:
    if value is None:
        return None
    if str(value) not in {"0", "1", "2", "3"}:
        raise ValueError(f"nat_gateways: must be a number from 0 to 3, got {value!r}")
    return int(value)


def _switch(context: Callable[[str], Any], name: str) -> bool:
    """A switch that is on unless it is turned off."""
    said = str(context(name) if context(name) is not None else "true").lower()
    if said not in {"true", "false"}:
        raise ValueError(f'{name}: must be "true" or "false", got {said!r}')
    return said == "true"


def _scenarios(context: Callable[[str], Any]) -> tuple[str, ...]:
    named = context("scenario")
    if named:
        return tuple(name.strip() for name in str(named).split(",") if name.strip())
    # The CLI tells the app which stacks it will use: all of them as "**", or those named with --exclusively.
    selected = context("aws:cdk:bundling-stacks") or ["**"]
    return () if any("*" in name for name in selected) else tuple(selected)
