"""Requests to a distribution under its own name."""

import urllib3

from localcloud.cloud import LocalCloud


def get(cloud: LocalCloud, host: str, path: str) -> tuple[int, str]:
    """GET with TLS verified; status and text."""
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1", cloud.ready.port, ca_certs=str(cloud.ca_bundle), server_hostname=host, assert_hostname=host
    ) as pool:
        got = pool.request("GET", path, headers={"Host": host}, retries=False)
    return got.status, got.data.decode()
