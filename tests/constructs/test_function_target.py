"""What functions run on, and the wheels that fit."""

import pytest
from aws_cdk import aws_lambda as lambda_

from constructs_lib import FunctionTarget


def test_the_default_is_stated_in_one_place() -> None:
    assert FunctionTarget() == FunctionTarget(python="3.13", architecture="arm64", platform=None, layers_cache=None)


@pytest.mark.parametrize(
    ("python", "architecture", "platform"),
    [
        ("3.13", "arm64", "aarch64-manylinux_2_34"),
        ("3.12", "x86_64", "x86_64-manylinux_2_34"),
        # The runtime before Amazon Linux 2023 has an older C library.
        ("3.11", "x86_64", "x86_64-manylinux2014"),
        ("3.11", "arm64", "aarch64-manylinux2014"),
        ("3.20", "arm64", "aarch64-manylinux_2_34"),
    ],
)
def test_wheels_fit_the_runtime(python: str, architecture: str, platform: str) -> None:
    assert FunctionTarget(python=python, architecture=architecture).wheel_platform == platform


def test_a_platform_of_ones_own_is_taken() -> None:
    assert FunctionTarget(platform="x86_64-unknown-linux-gnu").wheel_platform == "x86_64-unknown-linux-gnu"


@pytest.mark.parametrize(
    ("python", "runtime"), [("3.13", lambda_.Runtime.PYTHON_3_13), ("3.11", lambda_.Runtime.PYTHON_3_11)]
)
def test_the_runtime_is_that_of_the_cdk(python: str, runtime: lambda_.Runtime) -> None:
    assert FunctionTarget(python=python).runtime.runtime_equals(runtime)


@pytest.mark.parametrize(
    ("architecture", "processor"), [("arm64", lambda_.Architecture.ARM_64), ("x86_64", lambda_.Architecture.X86_64)]
)
def test_the_processor_is_that_of_the_cdk(architecture: str, processor: lambda_.Architecture) -> None:
    assert FunctionTarget(architecture=architecture).lambda_architecture.name == processor.name


@pytest.mark.parametrize("python", ["3.10", "3", "3.13.1", "4.0", "python3.13", "3.1", ""])
def test_another_python_is_refused(python: str) -> None:
    with pytest.raises(ValueError, match=f'^python: must be a version from "3.11" on, got {python!r}$'):
        FunctionTarget(python=python)


@pytest.mark.parametrize("architecture", ["aarch64", "ARM64", "riscv", ""])
def test_another_architecture_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match=f"^architecture: must be one of arm64, x86_64, got {architecture!r}$"):
        FunctionTarget(architecture=architecture)
