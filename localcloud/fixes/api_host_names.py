"""An API answers to the host name that its stage URL has.

Without it the emulator knows `<api>.execute-api.<its own host>` only, and takes a request to
`<api>.execute-api.<region>.amazonaws.com` for a call of the API Gateway control plane (403).
"""

import re

from ministack import app


def apply() -> None:
    """Widen the pattern of host names; its first group is the API's id, as before."""
    app._EXECUTE_API_RE = re.compile(r"^([a-f0-9]{8})\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?::\d+)?$")
