"""An application as two assets: its packages, and what they depend on; a change of one leaves the other as it is."""

import hashlib

from aws_cdk import IgnoreMode, Stack
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from constructs_lib._assets import NOT_CODE, source_folder, source_hash
from constructs_lib._layers import layer_key, layer_zip
from constructs_lib.python_application import PythonApplication


def source_asset(scope: Construct, construct_id: str, application: PythonApplication) -> s3_assets.Asset:
    """The packages, side by side; named by their contents alone."""
    sources = application.sources.resolve()
    packages = sorted([application.package, *application.shared])
    hashes = [source_hash(source_folder(sources, package)) for package in packages]
    return s3_assets.Asset(
        scope,
        construct_id,
        path=str(sources),
        asset_hash=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        ignore_mode=IgnoreMode.GIT,
        exclude=["/*", *(f"!/{package}" for package in packages), *NOT_CODE],
    )


def dependencies_asset(scope: Construct, construct_id: str, application: PythonApplication) -> s3_assets.Asset | None:
    """The archive with ``python/...``; None without requirements.

    Raises:
        BundlingError: It could not be built.
    """
    requirements = application.sources.resolve() / application.package / "requirements.txt"
    if not requirements.is_file():
        return None
    key = layer_key(requirements, application.target)
    if Stack.of(scope).bundling_required:
        return s3_assets.Asset(
            scope, construct_id, path=str(layer_zip(requirements, application.target)), asset_hash=key
        )
    # The CLI does not need this stack's assets (and tests of templates never do): same name, nothing built.
    return s3_assets.Asset(scope, construct_id, path=str(requirements.parent), asset_hash=key, exclude=["**"])


def url(asset: s3_assets.Asset) -> str:
    """Its s3:// URL."""
    return f"s3://{asset.s3_bucket_name}/{asset.s3_object_key}"


def arn(asset: s3_assets.Asset) -> str:
    """The ARN of this one object; the CDK's own grant would open the bucket of all assets."""
    return Stack.of(asset).format_arn(
        service="s3", region="", account="", resource=asset.s3_bucket_name, resource_name=asset.s3_object_key
    )
