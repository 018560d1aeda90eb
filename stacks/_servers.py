"""The servers of this project, as instances run them."""

from collections.abc import Mapping
from pathlib import Path

from constructs_lib import PythonApplication
from stacks.settings import LAYERS_CACHE

SOURCES = Path(__file__).resolve().parent.parent / "container_src"
# Where an instance keeps the authorities of RDS, and the file that AWS publishes of them.
RDS_AUTHORITIES: Mapping[str, str] = {
    "/opt/rds/global-bundle.pem": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
}


def application(package: str, *, downloads: Mapping[str, str] | None = None) -> PythonApplication:
    """A server of ``container_src``, with the kit that all of them share."""
    return PythonApplication(
        sources=SOURCES, package=package, shared=["service_kit"], downloads=downloads or {}, layers_cache=LAYERS_CACHE
    )
