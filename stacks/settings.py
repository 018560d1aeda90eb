"""The app's settings: the only place that reads CDK context."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aws_cdk import RemovalPolicy

from constructs_lib import FunctionTarget

_LAYERS_CACHE = Path(__file__).resolve().parent.parent / "build" / "layers"


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
        options: Context ``options``: names of stacks that a scenario adds when asked, comma separated; none by default.
            "redshift" and "quicksight" belong to big-data-ingestion.
        quicksight_user: Context ``quicksight_user``: who sees the data set of the option "quicksight".

    Raises:
        ValueError: ``retain`` is neither "true" nor "false", or the target is not supported.
    """

    scenarios: tuple[str, ...] = ()
    target: FunctionTarget = field(default_factory=lambda: FunctionTarget(layers_cache=_LAYERS_CACHE))
    prefix: str = ""
    alarm_email: str | None = None
    retain: bool = True
    options: tuple[str, ...] = ()
    quicksight_user: str | None = None

    @classmethod
    def from_context(cls, context: Callable[[str], Any]) -> Self:
        """Read the settings from ``app.node.try_get_context``."""
        retain = str(context("retain") if context("retain") is not None else "true").lower()
        if retain not in {"true", "false"}:
            raise ValueError(f'retain: must be "true" or "false", got {retain!r}')
        target = FunctionTarget(
            python=str(context("function_python") or FunctionTarget.python),
            architecture=str(context("function_architecture") or FunctionTarget.architecture),
            platform=context("function_platform"),
            layers_cache=_LAYERS_CACHE,
        )
        return cls(
            scenarios=_scenarios(context),
            target=target,
            prefix=str(context("prefix") or ""),
            alarm_email=context("alarm_email"),
            retain=retain == "true",
            options=tuple(name.strip() for name in str(context("options") or "").split(",") if name.strip()),
            quicksight_user=context("quicksight_user"),
        )

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to stateful resources when their stack is deleted."""
        return RemovalPolicy.RETAIN if self.retain else RemovalPolicy.DESTROY


def _scenarios(context: Callable[[str], Any]) -> tuple[str, ...]:
    named = context("scenario")
    if named:
        return tuple(name.strip() for name in str(named).split(",") if name.strip())
    # The CLI tells the app which stacks it will use: all of them as "**", or those named with --exclusively.
    selected = context("aws:cdk:bundling-stacks") or ["**"]
    return () if any("*" in name for name in selected) else tuple(selected)
