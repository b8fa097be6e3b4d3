"""Test dependencies that are not in requirements/: browsers, registries, programs, limits.

In CI a missing one is a failure, so that nothing goes untested unnoticed; elsewhere, a skip.
"""

import os
import resource
import shutil
from typing import Never, TypeVar, overload

import pytest

Part = TypeVar("Part")


@overload
def require_or_skip(part: None, reason: str) -> Never: ...
@overload
def require_or_skip(part: Part | None, reason: str) -> Part: ...
def require_or_skip(part: Part | None, reason: str) -> Part:
    """Return an external dependency if it is available (true); else skip the test, or fail in CI.

    The reason says what is missing and how to install it.
    """
    if part:
        return part
    if is_ci():
        pytest.fail(f"CI must have this: {reason}", pytrace=False)
    pytest.skip(reason)


def program_or_skip(name: str, package: str) -> str:
    """Return the path of a program that a Debian package provides."""
    reason = f"{name} is not installed (Debian: apt-get install {package})"
    return require_or_skip(shutil.which(name), reason)


def open_files_or_skip(number: int) -> None:
    """Require that processes may raise their limit of open files to a number."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    is_enough = hard == resource.RLIM_INFINITY or hard >= number
    require_or_skip(is_enough, f"{number} open files are not permitted (ulimit -Hn: {hard})")


def is_ci() -> bool:
    """Return whether this is CI, which sets CI=true."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
