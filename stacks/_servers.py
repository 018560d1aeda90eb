"""The servers of this project, as instances run them, and as images."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from constructs_lib import PythonApplication
from stacks.settings import LAYERS_CACHE

SOURCES = Path(__file__).resolve().parent.parent / "container_src"
KIT = "service_kit"
# Where an instance keeps the authorities of RDS, and the file that AWS publishes of them.
RDS_AUTHORITIES: Mapping[str, str] = {
    "/opt/rds/global-bundle.pem": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
}


def application(package: str, *, downloads: Mapping[str, str] | None = None) -> PythonApplication:
    """A server of ``container_src``, with the kit that all of them share."""
    return PythonApplication(
        sources=SOURCES, package=package, shared=[KIT], downloads=downloads or {}, layers_cache=LAYERS_CACHE
    )


def image(scope: Construct, construct_id: str, package: str) -> ecr_assets.DockerImageAsset:
    """A server's image, for ARM: made of its package and the kit, so that nothing else changes it."""
    return ecr_assets.DockerImageAsset(
        scope,
        construct_id,
        directory=str(SOURCES),
        file=f"{package}/Dockerfile",
        platform=ecr_assets.Platform.LINUX_ARM64,
        ignore_mode=IgnoreMode.GIT,
        exclude=["/*", f"!/{package}", f"!/{KIT}", "__pycache__", "*.pyc", "requirements.in"],
    )
