"""Supervised processes."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from atelier.local.cluster import process as module
from atelier.local.cluster.process import SupervisedProcess, running
from tests.support.processes import all_processes, wait_until_gone

_IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(300)
"""
_STARTS_WORKER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
"""


def make(
    program: str, messages: list[str], on_line: Callable[[str], None] | None = None
) -> SupervisedProcess:
    return SupervisedProcess(
        "it",
        [sys.executable, "-c", program],
        stop_signal=signal.SIGTERM,
        environment=dict(os.environ),
        log=messages.append,
        on_line=on_line,
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_exited_process_is_restarted_and_logged() -> None:
    messages: list[str] = []
    child = make("raise SystemExit(3)", messages)
    async with running([child]):
        await until(lambda: child.exits > 1)
    assert messages[:2] == ["it exited (exit code 3); restarting it."] * 2


async def test_failed_start_is_retried() -> None:
    messages: list[str] = []
    child = SupervisedProcess(
        "it", ["/missing"], stop_signal=signal.SIGTERM, environment={}, log=messages.append
    )
    async with running([child]):
        await until(lambda: child.exits)
    assert "No such file" in messages[0]


async def test_process_that_ignores_its_stop_signal_is_killed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.2)
    messages: list[str] = []
    async with running([make(_IGNORES_SIGTERM, messages)]):
        await until(lambda: "up" in capfd.readouterr().out)
    assert messages == ["it did not stop in time; killing it."]


async def test_output_is_passed_on_line_by_line() -> None:
    lines: list[str] = []
    program = "import sys; print('one\\ntwo'); sys.stderr.write('three')"
    child = make(program, [], lines.append)
    async with running([child]):
        await until(lambda: len(lines) >= 3)
    assert set(lines[:3]) == {"one", "two", "three"}


async def test_process_is_restarted_while_its_workers_still_run() -> None:
    lines: list[str] = []
    child = make(_STARTS_WORKER, [], lines.append)
    async with running([child]):
        await until(lambda: child.exits > 1 and len(lines) > 1)


async def test_workers_are_killed_when_their_process_exits(
    capfd: pytest.CaptureFixture[str],
) -> None:
    child = make(_STARTS_WORKER, [])
    async with running([child]):
        await until(lambda: child.exits)
    orphans = {int(line) for line in capfd.readouterr().out.split()}
    wait_until_gone([process for process in all_processes() if process.pid in orphans])
