"""S3 in memory, as far as the image functions use it: objects, entity tags, and botocore's own errors and bodies."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass
class FakeS3:
    """Buckets of one account.

    Attributes:
        objects: By bucket and key: the arguments they were put with.
        refuse: Error code by operation, such as ``{"put_object": "SlowDown"}``.
        before: Called before an operation with its name and arguments, to let something happen in between.
    """

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    before: Callable[[str, dict[str, Any]], None] = lambda operation, request: None
    calls: list[str] = field(default_factory=list)

    @property
    def client(self) -> "S3Client":
        return cast("S3Client", self)

    def upload(self, bucket: str, key: str, data: bytes) -> None:
        self.objects[bucket, key] = {"Body": data}

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for name, key in self.objects if name == bucket)

    def _called(self, operation: str, request: dict[str, Any]) -> None:
        self.calls.append(operation)
        self.before(operation, request)
        if code := self.refuse.get(operation):
            raise _error(code, operation)

    def _found(self, request: dict[str, Any], code: str, operation: str) -> dict[str, Any]:
        found = self.objects.get((request["Bucket"], request["Key"]))
        if found is None:
            raise _error(code, operation)
        data = found["Body"]
        etag = hashlib.sha256(data).hexdigest()[:32]
        return {"ETag": f'"{etag}"', "ContentLength": len(data), "VersionId": f"v-{etag[:6]}"}

    def get_object(self, **request: Any) -> dict[str, Any]:
        self._called("get_object", request)
        head = self._found(request, "NoSuchKey", "GetObject")
        data = self.objects[request["Bucket"], request["Key"]]["Body"]
        return head | {"Body": StreamingBody(io.BytesIO(data), len(data))}

    def head_object(self, **request: Any) -> dict[str, Any]:
        self._called("head_object", request)
        return self._found(request, "404", "HeadObject")

    def put_object(self, **request: Any) -> dict[str, Any]:
        self._called("put_object", request)
        self.objects[request["Bucket"], request["Key"]] = request
        return {}

    def delete_object(self, **request: Any) -> dict[str, Any]:
        self._called("delete_object", request)
        self.objects.pop((request["Bucket"], request["Key"]), None)
        return {}


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"fake {code}"}}, operation)
