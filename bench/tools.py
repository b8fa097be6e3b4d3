"""The programs that the benchmark requires, installed if possible."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from atelier.errors import AtelierError
from bench.processes import run
from bench.systems import EXPRESS_FOLDER

Log = Callable[[str], None]

_NPM_RETRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
"""By default, npm tries for over a minute to reach an unreachable registry."""


def wrk(log: Log) -> str | None:
    """Return wrk, installed from Debian if possible; None if unavailable."""
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        log("Installing wrk from Debian.")
        try:
            run(["apt-get", "update", "-q"])
            run(["apt-get", "install", "-q", "-y", "wrk"])
        except AtelierError as error:
            log(str(error))
    if shutil.which("wrk"):
        return "wrk"
    log(
        "wrk is not installed (as root: apt-get install wrk). k6 replaces it, and uses so much "
        "CPU time that all ratios are far smaller: they cannot be compared with the targets."
    )
    return None


def k6() -> str:
    """Return k6 from requirements/bench.txt, or the system's."""
    beside = Path(sys.executable).with_name("k6")
    program = str(beside) if beside.exists() else shutil.which("k6")
    if not program:
        raise AtelierError("k6 is not installed: run `make bench`, which installs it.")
    return program


def install_express(log: Log) -> None:
    """Install the packages of the Express peer, unless these versions are installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise AtelierError("The Express peer needs Node.js 18 or newer and npm: install them.")
    lock = EXPRESS_FOLDER / "package-lock.json"
    done = EXPRESS_FOLDER / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        log("Installing the packages of the Express peer from npm.")
        command = ["npm", "ci", "--omit=dev", *_NPM_RETRIES, "--prefix", str(EXPRESS_FOLDER)]
        try:
            run(command)
        except AtelierError as error:
            raise AtelierError(
                f"npm could not install the Express peer: {_npm_error(error)}"
            ) from error


def _npm_error(error: AtelierError) -> str:
    """Return the line of npm's output that names the failure."""
    match = re.search(r"^npm error (?:network )?(.*\bfailed\b.*)", str(error), re.MULTILINE)
    return match[1].strip() if match else " ".join(str(error).split())
