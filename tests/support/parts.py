"""What tests need that the packages of requirements/ do not bring: browsers, registries, programs.

CI has all of it, so that nothing goes untested unnoticed; elsewhere a test says what it misses.
"""

import os
import shutil
from typing import Never, TypeVar, overload

import pytest

Part = TypeVar("Part")


@overload
def require_or_skip(part: None, reason: str) -> Never: ...
@overload
def require_or_skip(part: Part | None, reason: str) -> Part: ...
def require_or_skip(part: Part | None, reason: str) -> Part:
    """Return a part from outside if it is there (is true); else skip the test, in CI fail it.

    The reason says what is missing and how to get it.
    """
    if part:
        return part
    if is_ci():
        pytest.fail(f"CI must have this: {reason}", pytrace=False)
    pytest.skip(reason)


def program_or_skip(name: str, package: str) -> str:
    """Return the path of a program, which a package of Debian's brings."""
    reason = f"{name} is not installed (Debian: apt-get install {package})"
    return require_or_skip(shutil.which(name), reason)


def is_ci() -> bool:
    """Say whether this is CI, as all systems for it do: by CI=true."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
