"""Imports in processes of their own, to be stopped at a step."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import ATELIER, environment


def start_import(dsn: str, folder: Path) -> subprocess.Popen[str]:
    """Start `atelier import --replace`; rejects are written to `rejects.csv` in the folder."""
    return subprocess.Popen(
        [*ATELIER, "import", str(folder), "--replace", "--rejects", str(folder / "rejects.csv")],
        env=environment(folder / "home", ATELIER_DATABASE_URL=dsn, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )


def stop_at(process: subprocess.Popen[str], step: str, signal_: signal.Signals) -> None:
    """Send a signal when the import has printed a line that begins with `step`."""
    assert process.stdout
    with process:
        for line in process.stdout:
            if line.startswith(step):
                break
        else:
            pytest.fail(f"it never printed {step!r}")
        process.send_signal(signal_)
