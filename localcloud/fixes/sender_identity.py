"""Sending a mail is a right on the sender's identity.

Without this fix the emulator asks for `ses:SendEmail` on every resource, so a role that may send as one identity alone,
as it should be, is denied.
"""

import functools
import json
from email.utils import parseaddr
from typing import Any

from localcloud.internals import need

_SEND = "/v2/email/outbound-emails"


def apply() -> None:
    """Name the identity: the address where that is one, else its domain."""
    actions = need("core.iam_actions", "extract_resource_arn")
    ses = need("services.ses", "_identities")
    extract = actions.extract_resource_arn

    @functools.wraps(extract)
    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *request: Any, **more: Any) -> str:
        if service != "ses" or method != "POST" or path.rstrip("/") != _SEND:
            return str(extract(service, method, path, headers, body, *request, **more))
        _query_params, region, account_id = request
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            return "*"
        address = parseaddr(str(asked.get("FromEmailAddress", "")))[1]
        identity = address if address in ses._identities else address.rpartition("@")[2]
        return f"arn:aws:ses:{region}:{account_id}:identity/{identity}" if identity else "*"

    vars(actions)["extract_resource_arn"] = extracted
