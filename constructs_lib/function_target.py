"""Which Python, on which processor, a function's code and layers are made for."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from constructs_lib._checks import matches, one_of

_ARCHITECTURES = {
    "arm64": (lambda_.Architecture.ARM_64, "aarch64"),
    "x86_64": (lambda_.Architecture.X86_64, "x86_64"),
}
# Lambda's Python runtimes from 3.12 on run on Amazon Linux 2023 (glibc 2.34), those before on Amazon Linux 2 (2.26).
# Source: AWS Lambda developer guide, "Lambda runtimes".
_FIRST_ON_AL2023 = 12


@dataclass(frozen=True)
class FunctionTarget:
    """The Python version and processor that functions run on.

    Args:
        python: Version as "3.N", from 3.11 on. Default "3.13".
        architecture: "arm64" (default) or "x86_64".
        platform: The platform whose wheels are installed, as uv names it (``uv pip install --python-platform``).
            Left out: the newest manylinux level that the Lambda runtime of that Python version runs.
        layers_cache: Folder in which built dependency layers are kept, by content.
            Left out: ``~/.cache/constructs_lib``.

    Raises:
        ValueError: ``python`` or ``architecture`` is not one of the above.

    Example:
        target = FunctionTarget(python="3.12", architecture="x86_64")
        assert target.wheel_platform == "x86_64-manylinux_2_34"
    """

    python: str = "3.13"
    architecture: str = "arm64"
    platform: str | None = None
    layers_cache: Path | None = None

    def __post_init__(self) -> None:
        matches("python", self.python, r"3\.(1[1-9]|[2-9]\d)", 'a version from "3.11" on')
        one_of("architecture", self.architecture, _ARCHITECTURES)

    @property
    def runtime(self) -> lambda_.Runtime:
        """The Lambda runtime of this Python version."""
        return lambda_.Runtime(f"python{self.python}", lambda_.RuntimeFamily.PYTHON, supports_inline_code=True)

    @property
    def lambda_architecture(self) -> lambda_.Architecture:
        """The processor as Lambda names it."""
        return _ARCHITECTURES[self.architecture][0]

    @property
    def wheel_platform(self) -> str:
        """The platform whose wheels fit, as uv names it."""
        if self.platform:
            return self.platform
        on_al2023 = int(self.python.split(".")[1]) >= _FIRST_ON_AL2023
        return f"{_ARCHITECTURES[self.architecture][1]}-{'manylinux_2_34' if on_al2023 else 'manylinux2014'}"
