"""Which wheels run on a machine."""

import pytest

from localcloud.errors import LocalCloudError
from localcloud.machine import name_platform


@pytest.mark.parametrize(
    ("system", "machine", "libc", "expected"),
    [
        ("Linux", "x86_64", ("glibc", "2.36"), "x86_64-manylinux_2_36"),
        ("Linux", "aarch64", ("glibc", "2.31"), "aarch64-manylinux_2_31"),
        ("Linux", "x86_64", ("glibc", "2.30"), "x86_64-manylinux_2_28"),
        ("Linux", "x86_64", ("glibc", "2.27"), "x86_64-manylinux_2_17"),
        ("Linux", "x86_64", ("glibc", "2.99"), "x86_64-manylinux_2_40"),
        ("Darwin", "arm64", ("", ""), "aarch64-apple-darwin"),
    ],
)
def test_the_newest_level_that_the_machine_has(system: str, machine: str, libc: tuple[str, str], expected: str) -> None:
    assert name_platform(system, machine, libc) == expected


@pytest.mark.parametrize(
    ("system", "libc", "says"),
    [
        ("Linux", ("", ""), "this is Linux with ?"),
        ("Windows", ("", ""), "this is Windows with ?"),
        ("Linux", ("glibc", "2.12"), "this machine has 2.12"),
    ],
)
def test_a_machine_without_wheels_is_named(system: str, libc: tuple[str, str], says: str) -> None:
    with pytest.raises(LocalCloudError, match=says.replace("?", r"\?")):
        name_platform(system, "x86_64", libc)
