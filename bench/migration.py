"""Migrates a database step by step while an older revision serves it under a gentle load."""

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from atelier.errors import AtelierError
from atelier.local.postgres.embedded import Embedded
from atelier.store import migrate
from bench.compare import checked_out, with_source
from bench.data import create_database, drop_database, export_folder, load_service
from bench.home import BenchHome
from bench.runner import run_folder
from bench.systems import ours, running
from bench.tables import table

_PAUSES = {"page": 0.02, "answers": 0.05, "vote": 0.1, "post": 0.5}
"""Seconds between two requests of a kind."""
_DATABASE = "bench_migration"
_SLOW_SECONDS = 1.0
_QUIET_SECONDS = 20
_ANSWER_SECONDS = 60
_MIGRATIONS = files("atelier.store") / "migrations"


@dataclass(frozen=True, slots=True)
class _Answer:
    """When a request was sent, for how long it waited, and the status; 0 is no answer."""

    at: float
    seconds: float
    status: int


_Answers = dict[str, list[_Answer]]


@dataclass(frozen=True, slots=True)
class _Step:
    """A migration, and when it ran."""

    name: str
    attempts: int
    start: float
    end: float


async def _send(port: int, method: str, target: str, body: str = "") -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        fields = (
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        )
        head = f"{method} {target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{fields}\r\n"
        writer.write((head + body).encode())
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer = await reader.read()
        return int(answer.split(b" ", 2)[1]) if answer else 0
    finally:
        writer.transport.abort()


def _request(kind: str, products: int) -> tuple[str, str, str]:
    """Return the method, target and body of a request of a kind; most ids are in use."""
    product, question = random.randint(1, products), random.randint(1, 3 * products)  # noqa: S311 - not secret
    match kind:
        case "page":
            return "GET", f"/qa/questions?product_id={product}", ""
        case "answers":
            return "GET", f"/qa/questions/{question}/answers", ""
        case "vote":
            return "PUT", f"/qa/questions/{question}/helpful", ""
        case _:
            fields = '"body":"Does it run small?","name":"jane","email":"jane@example.com"'
            return "POST", f"/qa/questions/{question}/answers", f"{{{fields}}}"


async def _go_on(port: int, kind: str, products: int, answers: list[_Answer]) -> None:
    """Send requests of a kind at a constant rate, however long each of them waits."""
    pending: set[asyncio.Task[None]] = set()

    async def one() -> None:
        at, status = time.monotonic(), 0
        with suppress(OSError, TimeoutError):
            status = await _send(port, *_request(kind, products))
        answers.append(_Answer(at, time.monotonic() - at, status))

    while True:
        task = asyncio.create_task(one())
        pending.add(task)
        task.add_done_callback(pending.discard)
        await asyncio.sleep(_PAUSES[kind])


async def _migrate(dsn: str, folder: Path, log: Callable[[str], None]) -> list[_Step]:
    """Apply the pending migrations one by one, each again while a table is in use."""
    steps = []
    for name in sorted(migrate.names()):
        shutil.copy(str(_MIGRATIONS / f"{name}.sql"), folder)
        start, attempts, applied = time.monotonic(), 0, [""]
        while applied == [""]:
            attempts += 1
            with suppress(AtelierError):
                applied = await asyncio.to_thread(_apply, dsn, folder)
        if applied:
            steps.append(_Step(name, attempts, start, time.monotonic()))
            log(f"{name}: {steps[-1].end - start:.1f} s")
    return steps


def _apply(dsn: str, folder: Path) -> list[str]:
    """Apply pending migrations; not in the clients' event loop, which reading them would block."""
    return asyncio.run(migrate.migrate(dsn, migrations=folder))


async def _under_load(
    dsn: str, port: int, products: int, folder: Path, log: Callable[[str], None]
) -> tuple[list[_Step], _Answers]:
    answers: _Answers = {kind: [] for kind in _PAUSES}
    clients = [
        asyncio.create_task(_go_on(port, kind, products, found)) for kind, found in answers.items()
    ]
    start = time.monotonic()
    await asyncio.sleep(_QUIET_SECONDS)
    before = _Step("before", 0, start, time.monotonic())
    steps = await _migrate(dsn, folder, log)
    start = time.monotonic()
    await asyncio.sleep(_QUIET_SECONDS)
    after = _Step("after", 0, start, time.monotonic())
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return [before, *steps, after], answers


def migrate_under_load(revision: str, products: int, log: Callable[[str], None]) -> str:
    """Load a revision's database, and apply the later migrations while that revision serves.

    Returns a table of the migrations, and of how long requests waited meanwhile. Raises
    AtelierError if git does not know the revision.
    """
    home = BenchHome.open()
    embedded = Embedded.open(home.postgresql)
    server, dsn = embedded.server.dsn(), embedded.server.dsn(_DATABASE)
    with ExitStack() as stack:
        stack.enter_context(home.lock())
        stack.enter_context(embedded.used())
        source = stack.enter_context(checked_out(home.path, revision))
        export = export_folder(home, products, log)
        log(f"Loading {products:,} products with {revision}.")
        asyncio.run(create_database(server, _DATABASE))
        stack.callback(lambda: asyncio.run(drop_database(server, _DATABASE)))
        load_service(dsn, export, {"PYTHONPATH": str(source)})
        run = stack.enter_context(run_folder(embedded))
        service = stack.enter_context(running(with_source(ours(dsn), source), run))
        folder = stack.enter_context(home.scratch("migrations"))
        port = urlsplit(service.url).port or 0
        steps, answers = asyncio.run(_under_load(dsn, port, products, folder, log))
    return _table(steps, answers)


def _table(steps: Sequence[_Step], answers: _Answers) -> str:
    kinds = [f"{kind}: sent, not 2xx, > {_SLOW_SECONDS:g} s, longest" for kind in answers]
    rows = [
        [
            step.name,
            f"{step.end - step.start:.1f}",
            f"{step.attempts or ''}",
            *(
                _cell([each for each in found if _overlaps(each, step)])
                for found in answers.values()
            ),
        ]
        for step in steps
    ]
    return table(["migration", "seconds", "attempts", *kinds], rows)


def _overlaps(answer: _Answer, step: _Step) -> bool:
    return answer.at < step.end and answer.at + answer.seconds > step.start


def _cell(answers: Sequence[_Answer]) -> str:
    if not answers:
        return "0"
    failed = sum(not 200 <= each.status < 300 for each in answers)  # noqa: PLR2004 - 2xx
    slow = sum(each.seconds > _SLOW_SECONDS for each in answers)
    return f"{len(answers)}, {failed}, {slow}, {max(each.seconds for each in answers):.2f} s"
