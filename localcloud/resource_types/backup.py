"""What a backup plan backs up: the emulator's API has it, its CloudFormation has not."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from localcloud.internals import need

if TYPE_CHECKING:
    from localcloud.registry import Props, Registry

Made = tuple[str, dict[str, str]]


def register(registry: Registry) -> None:
    """Add the types. A selection is never changed in place, as on AWS."""
    registry._add("AWS::Backup::BackupSelection", "adapter", _create, _update, _delete)


def _create(_logical_id: str, props: Props, _stack_name: str) -> Made:
    service = need("services.backup", "_create_selection")
    plan = props["BackupPlanId"]
    status, _headers, body = service._create_selection(plan, {"BackupSelection": props["BackupSelection"]})
    answer = json.loads(body)
    if status >= 300:  # noqa: PLR2004
        raise ValueError(answer.get("Message") or answer.get("message"))
    selection = answer["SelectionId"]
    # Registry schema: the id is made of both.
    ref = f"{selection}_{plan}"
    return ref, {"Id": ref, "SelectionId": selection, "BackupPlanId": plan}


def _update(_old_id: str, _old: Props, new: Props, stack_name: str, logical_id: str) -> Made:
    return _create(logical_id, new, stack_name)


def _delete(ref: str, props: Props) -> None:
    service = need("services.backup", "_delete_selection", "_plans")
    with contextlib.suppress(KeyError):
        service._delete_selection(props["BackupPlanId"], ref.partition("_")[0])
