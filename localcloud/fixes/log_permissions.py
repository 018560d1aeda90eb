"""Writing logs is authorized on the log stream, so that the ARN with `:*` of a log group, as the CDK grants it, holds.

Without this fix the emulator authorizes CreateLogStream and PutLogEvents on `log-group:<name>`, which no policy of AWS
names. AWS asks for `log-group:<name>:log-stream:<stream>` (service authorization reference, CloudWatch Logs).
"""

import json
from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the naming of the resource."""
    actions = need("core.iam_actions", "extract_resource_arn")
    extract = actions.extract_resource_arn

    def resource(service: str, *request: Any, **more: Any) -> Any:
        named = extract(service, *request, **more)
        if service != "logs" or ":log-group:" not in str(named):
            return named
        try:
            stream = json.loads(request[3]).get("logStreamName")
        except (ValueError, TypeError, AttributeError):
            return named
        return f"{named}:log-stream:{stream}" if stream else named

    vars(actions)["extract_resource_arn"] = resource
