"""One size that pictures are made into: its settings, and the function that makes it."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib._acknowledge import acknowledge
from constructs_lib._buckets import objects_rule
from constructs_lib._checks import in_range, matches
from constructs_lib.function_target import FunctionTarget
from constructs_lib.python_function import PythonFunction

# Names and sizes as lambda_src/image_renditions/settings.py takes them; tests/constructs/test_image_renditions.py holds
# the two together.
REJECTED = "rejected"
_MAX_NAME = 32
_MAX_EDGE = 2560
TIMEOUT = Duration.seconds(60)
# The package takes less than 512 MB; Lambda gives processor time in proportion to memory.
_MEMORY_MB = 1024


@dataclass(frozen=True)
class Rendition:
    """One size that pictures are made into.

    Args:
        name: First part of the keys written: 1-32 characters, words of a-z and 0-9 joined by "-", beginning with a
            letter; not "rejected".
        max_edge: Longest side, 1-2560 pixels. A smaller picture keeps its size.

    Raises:
        ValueError: A value is out of range.

    Example:
        small = Rendition("thumbnail", max_edge=256)
    """

    name: str
    max_edge: int

    def __post_init__(self) -> None:
        words = f"1 to {_MAX_NAME} characters: words of a-z and 0-9 joined by '-', a letter first, and not {REJECTED!r}"
        pattern = rf"(?!{REJECTED}$)(?=.{{1,{_MAX_NAME}}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*"
        matches("name", self.name, pattern, words)
        in_range(f"max_edge of {self.name!r}", self.max_edge, 1, _MAX_EDGE)

    @property
    def construct_id(self) -> str:
        """``small-square`` -> ``SmallSquare``."""
        return "".join(word.capitalize() for word in self.name.split("-"))


def rendition_function(
    scope: Construct,
    rendition: Rendition,
    *,
    source: s3.IBucket,
    prefix: str,
    renditions: s3.Bucket,
    target: FunctionTarget | None,
) -> PythonFunction:
    """The function of one rendition: it may read what is uploaded, and write and delete its own results."""
    made = PythonFunction(
        scope,
        rendition.construct_id,
        package="image_renditions",
        environment={
            "RENDITION_NAME": rendition.name,
            "MAX_EDGE": str(rendition.max_edge),
            "RENDITIONS_BUCKET": renditions.bucket_name,
        },
        timeout=TIMEOUT,
        memory_mb=_MEMORY_MB,
        target=target,
    )
    uploads = f"{prefix}*"
    results = (f"{rendition.name}/*", f"{REJECTED}/{rendition.name}/*")
    _grant(made, ["s3:GetObject"], source.arn_for_objects(uploads))
    # Without it S3 answers 403 instead of 404 when the object is gone already, which is nobody's error.
    _grant(made, ["s3:ListBucket"], source.bucket_arn)
    # The other outcome of an earlier upload of the key is deleted.
    _grant(made, ["s3:PutObject", "s3:DeleteObject"], *map(renditions.arn_for_objects, results))
    if source.encryption_key:
        source.encryption_key.grant(made.function, "kms:Decrypt")
    any_upload = "It renders whatever is uploaded, so it reads all objects below the prefix; keys cannot be known."
    own_results = "It writes results for all keys below its own prefix, and nowhere else in the bucket."
    acknowledge(
        made.role,
        {
            objects_rule(source, uploads): any_upload,
            **{objects_rule(renditions, pattern): own_results for pattern in results},
        },
    )
    return made


def _grant(made: PythonFunction, actions: list[str], *resource_arns: str) -> None:
    iam.Grant.add_to_principal(grantee=made.function, actions=actions, resource_arns=list(resource_arns))
