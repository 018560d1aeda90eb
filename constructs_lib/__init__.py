"""Reusable constructs behind the classic AWS architectures: importable, secure by default, proven by journeys."""

from constructs_lib._layers import BundlingError
from constructs_lib.alarm_topic import AlarmTopic
from constructs_lib.big_data_ingestion import BigDataIngestion
from constructs_lib.cognito_rest_api import ApiRoute, CognitoRestApi
from constructs_lib.device_fleet import DeviceFleet
from constructs_lib.function_target import FunctionTarget
from constructs_lib.image_renditions import ImageRenditions, Rendition
from constructs_lib.python_function import PythonFunction
from constructs_lib.queue_with_dlq import QueueWithDlq
from constructs_lib.queued_api import QueuedApi
from constructs_lib.sns_fanout_to_sqs import SnsFanoutToSqs, Subscriber

__all__ = [
    "AlarmTopic",
    "ApiRoute",
    "BigDataIngestion",
    "BundlingError",
    "CognitoRestApi",
    "DeviceFleet",
    "FunctionTarget",
    "ImageRenditions",
    "PythonFunction",
    "QueueWithDlq",
    "QueuedApi",
    "Rendition",
    "SnsFanoutToSqs",
    "Subscriber",
]
