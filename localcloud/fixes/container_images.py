"""Calls of ECR are authorized on the repository that they name, and an image that is not there is not found.

Without this fix the emulator authorizes them on `*`, so the role with which the CDK publishes images, which may use one
repository, is denied; and it answers an empty list for a missing image, so that the CDK takes it for published.
"""

import json
from typing import Any

from localcloud.internals import need


def apply() -> None:
    """Wrap the naming of the resource, and the look-up of images."""
    ecr = need("services.ecr", "_describe_images", "_find_image")
    refuse = need("core.responses", "error_response_json").error_response_json
    describe = ecr._describe_images

    def described(data: dict[str, Any]) -> Any:
        answer, name = describe(data), data.get("repositoryName", "")
        for wanted in data.get("imageIds") or []:
            if answer[0] < 300 and not ecr._find_image(name, wanted):  # noqa: PLR2004
                message = f"The image with imageId {wanted} does not exist within the repository with name '{name}'"
                return refuse("ImageNotFoundException", message, 400)
        return answer

    vars(ecr)["_describe_images"] = described
    _name_the_repository()


def _name_the_repository() -> None:
    actions = need("core.iam_actions", "extract_resource_arn")
    responses = need("core.responses", "get_region", "get_account_id")
    extract = actions.extract_resource_arn

    def resource(service: str, *request: Any, **more: Any) -> Any:
        named = extract(service, *request, **more)
        if service != "ecr" or named != "*":
            return named
        try:
            asked = json.loads(request[3])
            name = asked.get("repositoryName") or (asked.get("repositoryNames") or [None])[0]
        except (ValueError, TypeError, AttributeError):
            return named
        if not name:
            return named
        return f"arn:aws:ecr:{responses.get_region()}:{responses.get_account_id()}:repository/{name}"

    vars(actions)["extract_resource_arn"] = resource
