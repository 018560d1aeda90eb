"""Reusable constructs behind the classic AWS architectures: importable, secure by default, proven by journeys.

A name is imported when it is first used (PEP 562): an app that wants one construct pays for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib._layers import BundlingError
    from constructs_lib._load_balancer import HttpsLoadBalancer
    from constructs_lib.alarm_topic import AlarmTopic
    from constructs_lib.big_data_ingestion import BigDataIngestion
    from constructs_lib.cached_api import CachedApi
    from constructs_lib.cognito_rest_api import ApiRoute, CognitoRestApi
    from constructs_lib.dax_cached_table import DaxCachedTable
    from constructs_lib.device_fleet import DeviceFleet
    from constructs_lib.edge_offload import EdgeOffload
    from constructs_lib.fargate_service import FargateService
    from constructs_lib.function_target import FunctionTarget
    from constructs_lib.global_table import GlobalTable
    from constructs_lib.image_renditions import ImageRenditions, Rendition
    from constructs_lib.load_balanced_web_tier import LoadBalancedWebTier
    from constructs_lib.mounted_file_system import MountedFileSystem
    from constructs_lib.paid_content_distribution import PaidContentDistribution
    from constructs_lib.postgres_database import PostgresDatabase
    from constructs_lib.python_application import PythonApplication
    from constructs_lib.python_function import PythonFunction
    from constructs_lib.queue_with_dlq import QueueWithDlq
    from constructs_lib.queued_api import QueuedApi
    from constructs_lib.quicksight_dataset import QuickSightDataset
    from constructs_lib.redshift_load import RedshiftLoad
    from constructs_lib.signing_keys import SigningKeys
    from constructs_lib.sns_fanout_to_sqs import SnsFanoutToSqs, Subscriber
    from constructs_lib.static_site_with_cloudfront import StaticSiteWithCloudFront
    from constructs_lib.tiered_network import SiteToSiteVpn, TieredNetwork
    from constructs_lib.upload_bucket import UploadBucket
    from constructs_lib.user_files import UserFiles
    from constructs_lib.welcome_mailer import WelcomeMailer

# Name -> its module; the same as above and as __all__, which tests/repo/test_exports.py sees to.
_MODULES = {
    "AlarmTopic": "alarm_topic",
    "ApiRoute": "cognito_rest_api",
    "BigDataIngestion": "big_data_ingestion",
    "BundlingError": "_layers",
    "CachedApi": "cached_api",
    "CognitoRestApi": "cognito_rest_api",
    "DaxCachedTable": "dax_cached_table",
    "DeviceFleet": "device_fleet",
    "EdgeOffload": "edge_offload",
    "FargateService": "fargate_service",
    "FunctionTarget": "function_target",
    "GlobalTable": "global_table",
    "HttpsLoadBalancer": "_load_balancer",
    "ImageRenditions": "image_renditions",
    "LoadBalancedWebTier": "load_balanced_web_tier",
    "MountedFileSystem": "mounted_file_system",
    "PaidContentDistribution": "paid_content_distribution",
    "PostgresDatabase": "postgres_database",
    "PythonApplication": "python_application",
    "PythonFunction": "python_function",
    "QueueWithDlq": "queue_with_dlq",
    "QueuedApi": "queued_api",
    "QuickSightDataset": "quicksight_dataset",
    "RedshiftLoad": "redshift_load",
    "Rendition": "image_renditions",
    "SigningKeys": "signing_keys",
    "SiteToSiteVpn": "tiered_network",
    "SnsFanoutToSqs": "sns_fanout_to_sqs",
    "StaticSiteWithCloudFront": "static_site_with_cloudfront",
    "Subscriber": "sns_fanout_to_sqs",
    "TieredNetwork": "tiered_network",
    "UploadBucket": "upload_bucket",
    "UserFiles": "user_files",
    "WelcomeMailer": "welcome_mailer",
}

__all__ = [
    "AlarmTopic",
    "ApiRoute",
    "BigDataIngestion",
    "BundlingError",
    "CachedApi",
    "CognitoRestApi",
    "DaxCachedTable",
    "DeviceFleet",
    "EdgeOffload",
    "FargateService",
    "FunctionTarget",
    "GlobalTable",
    "HttpsLoadBalancer",
    "ImageRenditions",
    "LoadBalancedWebTier",
    "MountedFileSystem",
    "PaidContentDistribution",
    "PostgresDatabase",
    "PythonApplication",
    "PythonFunction",
    "QueueWithDlq",
    "QueuedApi",
    "QuickSightDataset",
    "RedshiftLoad",
    "Rendition",
    "SigningKeys",
    "SiteToSiteVpn",
    "SnsFanoutToSqs",
    "StaticSiteWithCloudFront",
    "Subscriber",
    "TieredNetwork",
    "UploadBucket",
    "UserFiles",
    "WelcomeMailer",
]


if not TYPE_CHECKING:  # type checkers must see no more than the imports above

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"constructs_lib.{_MODULES[name]}"), name)
        globals()[name] = value  # found directly from now on
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
