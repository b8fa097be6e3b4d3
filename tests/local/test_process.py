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

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(300)
"""
_BREEDER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
"""


def make(
    program: str, said: list[str], on_line: Callable[[str], None] | None = None
) -> SupervisedProcess:
    return SupervisedProcess(
        "it",
        [sys.executable, "-c", program],
        stop_signal=signal.SIGTERM,
        environment=dict(os.environ),
        log=said.append,
        on_line=on_line,
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_exited_process_is_restarted_and_logged() -> None:
    said: list[str] = []
    child = make("raise SystemExit(3)", said)
    async with running([child]):
        await until(lambda: child.exits > 1)
    assert said[:2] == ["it exited (exit code 3); restarting it."] * 2


async def test_failed_start_is_retried() -> None:
    said: list[str] = []
    child = SupervisedProcess(
        "it", ["/missing"], stop_signal=signal.SIGTERM, environment={}, log=said.append
    )
    async with running([child]):
        await until(lambda: child.exits)
    assert "No such file" in said[0]


async def test_process_that_ignores_its_stop_signal_is_killed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.2)
    said: list[str] = []
    async with running([make(_STUBBORN, said)]):
        await until(lambda: "up" in capfd.readouterr().out)
    assert said == ["it did not stop in time; killing it."]


async def test_output_is_passed_on_line_by_line() -> None:
    heard: list[str] = []
    program = "import sys; print('one\\ntwo'); sys.stderr.write('three')"
    child = make(program, [], heard.append)
    async with running([child]):
        await until(lambda: len(heard) >= 3)
    assert set(heard[:3]) == {"one", "two", "three"}


async def test_process_is_restarted_while_its_workers_still_run() -> None:
    heard: list[str] = []
    child = make(_BREEDER, [], heard.append)
    async with running([child]):
        await until(lambda: child.exits > 1 and len(heard) > 1)


async def test_workers_are_killed_when_their_process_exits(
    capfd: pytest.CaptureFixture[str],
) -> None:
    child = make(_BREEDER, [])
    async with running([child]):
        await until(lambda: child.exits)
    orphans = {int(line) for line in capfd.readouterr().out.split()}
    wait_until_gone([process for process in all_processes() if process.pid in orphans])
