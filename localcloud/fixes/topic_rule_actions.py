"""Topic rules of AWS IoT put messages into Kinesis streams and S3 buckets, under the action's role.

Without this fix the emulator skips both actions silently: a message that should go into a stream is lost, also where the
rule has an error action. With it a role that may not write fails the action, and the error action gets the message.
"""

import base64
import json
import re
from typing import Any

from localcloud import roles
from localcloud.internals import need

_TEMPLATE = re.compile(r"\$\{([^}]*)\}")


def apply() -> None:
    """Wrap the dispatch of an action, and tell the rule's topic to it."""
    iot = need(
        "services.iot",
        *("_dispatch_rule_action", "_run_rule_actions", "_dispatch_rule_error_action", "_eval_select_expr"),
        *("_rule_message", "_RULE_ACTION_RESOURCE_KEYS", "_MISSING", "_rule_event", "_split_select_items"),
        *("_rule_select_clause",),
    )
    dispatch, run = iot._dispatch_rule_action, iot._run_rule_actions
    scope = need("core.responses", "request_scope").request_scope
    published = need("contextvars_", "x") if False else None
    del published
