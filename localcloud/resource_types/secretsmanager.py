"""When a secret is rotated, and who may use it: the emulator's API has both, its CloudFormation has neither."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localcloud.internals import need

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

Made = tuple[str, dict[str, str]]


def register(registry: Registry) -> None:
    """Add the types."""
    for kind in (RotationSchedule, ResourcePolicy):
        registry._add(f"AWS::SecretsManager::{kind.__name__}", "adapter", kind.create, kind.update, kind.delete)


class RotationSchedule:
    """AWS::SecretsManager::RotationSchedule; Ref is the secret's ARN."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> Made:
        """RotateSecret, which rotates at once unless the template says no."""
        if "HostedRotationLambda" in props:
            message = "HostedRotationLambda: there are no hosted rotation functions here; name a RotationLambdaARN"
            raise ValueError(message)
        rules = {name: _number(value) for name, value in props.get("RotationRules", {}).items()}
        at_once = str(props.get("RotateImmediatelyOnUpdate", True)).lower() == "true"
        given = {"RotationLambdaARN": props.get("RotationLambdaARN"), "RotationRules": rules}
        return _ref(_call("_rotate_secret", SecretId=props["SecretId"], RotateImmediately=at_once, **given))

    @staticmethod
    def update(_secret: str, _old: Props, new: Props, stack_name: str, logical_id: str) -> Made:
        """The same again; for another secret Ref changes, and the emulator deletes this one."""
        return RotationSchedule.create(logical_id, new, stack_name)

    @staticmethod
    def delete(secret: str, _props: Props) -> None:
        """CancelRotateSecret, which the emulator lacks: the secret stays, and is rotated no more."""
        _key, found = need("services.secretsmanager", "_resolve")._resolve(secret)
        if found:
            found.update(RotationEnabled=False, NextRotationDate=None)


class ResourcePolicy:
    """AWS::SecretsManager::ResourcePolicy; Ref is the secret's ARN."""

    @staticmethod
    def create(_logical_id: str, props: Props, _stack_name: str) -> Made:
        """PutResourcePolicy."""
        return _ref(
            _call(
                "_put_resource_policy", SecretId=props["SecretId"], ResourcePolicy=json.dumps(props["ResourcePolicy"])
            )
        )

    @staticmethod
    def update(_secret: str, _old: Props, new: Props, stack_name: str, logical_id: str) -> Made:
        """As of a schedule."""
        return ResourcePolicy.create(logical_id, new, stack_name)

    @staticmethod
    def delete(secret: str, _props: Props) -> None:
        """DeleteResourcePolicy, unless the secret is gone."""
        if need("services.secretsmanager", "_resolve")._resolve(secret)[1]:
            _call("_delete_resource_policy", SecretId=secret)


def _call(action: str, **parameters: Any) -> dict[str, Any]:
    status, _headers, body = getattr(need("services.secretsmanager", action), action)(parameters)
    answer: dict[str, Any] = json.loads(body)
    if status >= 300:  # noqa: PLR2004
        message = f"{answer.get('__type')}: {answer.get('message')}"
        raise ValueError(message)
    return answer


def _ref(answer: dict[str, Any]) -> Made:
    return answer["ARN"], {"Id": answer["ARN"]}


def _number(value: Any) -> Any:
    return int(value) if str(value).isdecimal() else value
