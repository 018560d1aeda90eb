"""The environments of the emulator and of the tools that talk to it."""

from collections.abc import Mapping
from pathlib import Path

from localcloud import cdk

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - the emulator's root; it opens nothing outside this machine


def of_clients(endpoint: str, ca: Path) -> dict[str, str]:
    """What a tool needs to reach the emulator as its root, and nothing of the person's own accounts."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": str(ca),
        "NODE_EXTRA_CA_CERTS": str(ca),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def of_emulator(state: Path, ca: Path) -> Mapping[str, str]:
    """The emulator's environment; functions inherit it, so it holds nothing that the person's shell has."""
    data, tmp = state / "data", state / "tmp"
    return {
        "PATH": cdk.clean_environment()["PATH"],
        "HOME": str(data),
        "TMPDIR": str(tmp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "NODE_PATH": str(cdk.ROOT / "node_modules"),
        "AUTH": "true",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LAYER_STORE": str(state / "layers"),
        "S3_DATA_DIR": str(data / "s3"),
        "STATE_DIR": str(data / "state"),
        "DOCKER_HOST": "unix:///nonexistent",  # there may be Docker on this machine; it is not used
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    } | {name: value for name, value in of_clients("", ca).items() if name != "AWS_ENDPOINT_URL"}
