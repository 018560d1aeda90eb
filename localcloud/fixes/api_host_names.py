"""An API answers to the host name that its stage URL has.

Without this fix the emulator knows `<api>.execute-api.<its own host>` only, and takes a request to
`<api>.execute-api.<region>.amazonaws.com` for a call of API Gateway's control plane (403).
"""

import re

from localcloud.internals import need


def apply() -> None:
    """Widen the pattern of host names; its first group is the API's id, as before."""
    app = need("app", "_EXECUTE_API_RE", "_MINISTACK_HOST")
    own = re.escape(app._MINISTACK_HOST)
    pattern = rf"^([a-f0-9]{{8}})\.execute-api\.(?:[a-z0-9-]+\.amazonaws\.com|{own})(?::\d+)?$"
    vars(app)["_EXECUTE_API_RE"] = re.compile(pattern)
