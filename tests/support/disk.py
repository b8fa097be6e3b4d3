"""A small disk, for tests of a full one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Yield a folder with a limited size (`64K`, `20M`); requires root."""
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk requires the privilege to mount it")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
