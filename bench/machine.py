"""The machine and the versions of the programs, without host names or paths."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.local.host.programs import nginx_program
from atelier.local.postgres.server import total_memory
from bench.processes import run
from bench.systems import EXPRESS_FOLDER

_SETTINGS = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
)
_PACKAGES = ("falcon", "uvicorn", "uvloop", "httptools", "asyncpg", "fastapi", "sqlalchemy")
_GIGABYTE = 1 << 30


def machine() -> dict[str, str]:
    """Return a description of the machine."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{total_memory() / _GIGABYTE:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(k6: str, wrk: str | None) -> dict[str, str]:
    """Return the versions of all programs and packages involved."""
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "nginx": _version(r"nginx/([\d.]+)", str(nginx_program()), "-v"),
        "Node.js": _version(r"v([\d.]+)", "node", "--version"),
        "express": _package("express"),
        "pg": _package("pg"),
        "k6": _version(r"v([\d.]+)", k6, "version"),
        **({"wrk": _version(r"wrk \S*?([\d.]+)", wrk, "--version")} if wrk else {}),
    }


async def postgresql(dsn: str) -> tuple[str, dict[str, str]]:
    """Return PostgreSQL's version and its durability settings.

    Raises AtelierError if a commit would not be durable.
    """
    connection = await asyncpg.connect(dsn)
    try:
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in _SETTINGS}
        release = str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
    if settings["fsync"] != "on" or settings["synchronous_commit"] != "on":
        raise AtelierError("fsync and synchronous_commit must be on: votes are measured durable.")
    return release.split(maxsplit=1)[0], settings


def _processor() -> str:
    try:
        cpus = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    found = re.search(r"model name\s*: (.*)", cpus)
    return found[1].strip() if found else platform.machine()


def _package(name: str) -> str:
    manifest = EXPRESS_FOLDER / "node_modules" / name / "package.json"
    found = re.search(r'"version": "([^"]+)"', manifest.read_text())
    return found[1] if found else "?"


def _version(pattern: str, *command: str) -> str:
    try:
        output = run(command, exit_codes=(0, 1))  # wrk --version exits with 1
    except (AtelierError, OSError):
        output = ""
    found = re.search(pattern, output)
    return found[1] if found else "?"
