"""The public parameters with Amazon Linux's images are all there, for both processors.

Without this fix the emulator knows the ARM images of Amazon Linux 2023 by no name, and the others by one of two.
"""

import hashlib

from localcloud.internals import need

_NAMES = (
    "al2023-ami-kernel-default",
    "al2023-ami-kernel-6.1",
    "al2023-ami-kernel-6.12",
    "al2023-ami-minimal-kernel-6.1",
)


def apply() -> None:
    """Add those that are missing, each with an id of its own."""
    known = need("services.ssm", "_PUBLIC_AMI_PARAMETERS")._PUBLIC_AMI_PARAMETERS
    for name in _NAMES:
        for processor in ("arm64", "x86_64"):
            parameter = f"/aws/service/ami-amazon-linux-latest/{name}-{processor}"
            known.setdefault(parameter, f"ami-{hashlib.sha256(parameter.encode()).hexdigest()[:17]}")
