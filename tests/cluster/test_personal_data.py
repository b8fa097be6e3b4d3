"""Nothing of a person is in an answer, a log, a metric or anything else that the service writes.

Everything that a client can send is marked and sent through every route, while everything that can
fail does. Then all that was written anywhere is searched for the marks.
"""

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from atelier.local.host.home import Home
from atelier.local.postgres.embedded import Embedded
from atelier.store.connections.database import connect
from tests.support.cluster import free_port
from tests.support.commands import Up, run, up
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until
from tests.transfer.exports import write_export

_MARK = "quokka"
_EMAIL = "quokka.person@quokka-host.example"
_CLIENT = "203.0.113.77"
_HEADERS = {
    "Idempotency-Key": "quokka-key",
    "X-Forwarded-For": _CLIENT,
    "X-Request-ID": "quokka.request.id",
    "User-Agent": f"Robot (quokka; {_EMAIL})",
    "From": _EMAIL,
    "Referer": f"https://shop.example/?email={_EMAIL}",
    "Cookie": f"email={_EMAIL}",
    "Authorization": f"Basic {_EMAIL}",
}
_QUESTION = {
    "product_id": 77,
    "body": "A quokka body?",
    "name": "Quokka Name",
    "email": _EMAIL,
}
_ANSWER = {**_QUESTION, "photos": ["https://photos.example/quokka.jpg"]}
_ENCODED = quote(_EMAIL)
_PAGES = "/qa/questions"
_ANSWERS = "/qa/questions/1/answers"
_SLOW = {"ATELIER_REQUEST_TIMEOUT": "1"}


@dataclass
class Marked:
    """A running service, and all that was answered."""

    home: Path
    service_folder: Path
    url: str
    metrics_port: int
    running: Up
    client: httpx.Client
    answers: list[tuple[int, str]] = field(default_factory=list)

    def send(self, method: str, path: str, **sent: object) -> int:
        """Send a request with marked headers; note what is answered, return its status."""
        headers = _HEADERS | dict(sent.pop("headers", {}))  # type: ignore[call-overload] # any of httpx's arguments
        response = self.client.request(method, path, headers=headers, **sent)  # type: ignore[arg-type] # likewise
        self._note(response)
        return response.status_code

    def post(self, path: str = _PAGES, **fields: object) -> int:
        """Post something valid but for these fields, with a key of its own."""
        valid = _ANSWER if path.endswith("/answers") else _QUESTION
        key = {"Idempotency-Key": f"quokka-key-{len(self.answers)}"}
        return self.send("POST", path, json={**valid, **fields}, headers=key)

    def raw(self, request: str, address: Path | None = None) -> str:
        """Send bytes to nginx, or to a unix socket; note what is answered."""
        family = socket.AF_UNIX if address else socket.AF_INET
        port = int(self.url.rpartition(":")[2])
        with socket.socket(family) as connection:
            connection.settimeout(20)
            connection.connect(str(address) if address else ("127.0.0.1", port))
            connection.sendall(request.encode())
            said = b""
            while piece := connection.recv(1 << 16):
                said += piece
        self.answers.append((0, said.decode()))
        return said.decode()

    def log(self, part: str) -> str:
        return (self.home / "log" / f"{part}.log").read_text()

    def _note(self, response: httpx.Response) -> None:
        text = f"{response.reason_phrase}\n{response.headers}\n{response.text}"
        self.answers.append((response.status_code, text))


@pytest.fixture(scope="module")
def marked() -> Iterator[Marked]:
    port, metrics_port = free_port(), free_port()
    settings = {"PORT": str(port), "ATELIER_METRICS_PORT": str(metrics_port), "INSTANCES": "1"}
    with temporary_folder() as folder:
        home = folder / "home"
        with up(home, "-v", **settings, **_SLOW) as running:
            running.wait_for("Ready")
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, timeout=20) as client:
                yield Marked(
                    home, Home.open(home).run / "service", url, metrics_port, running, client
                )


@asynccontextmanager
async def administrator(marked: Marked) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(Embedded.existing(marked.home).server.dsn())
    try:
        yield connection
    finally:
        await connection.close()


def send_what_succeeds(marked: Marked) -> None:
    assert marked.post() == marked.post(_ANSWERS) == 201
    assert marked.send("POST", _PAGES, data=_QUESTION) == 201
    assert marked.send("POST", _PAGES, data={**_QUESTION, "name": "Quokka again"}) == 422, "the key"
    for target in ("questions/1", "answers/1"):
        for action in ("helpful", "report"):
            marked.send("PUT", f"/qa/{target}/{action}", headers={"Idempotency-Key": "quokka-vote"})
    # What the service is for: texts and names are public; nothing else of these answers may be.
    page = httpx.get(f"{marked.url}/qa/questions?product_id=77&count=1000", headers=_HEADERS).text
    assert "A quokka body?" in page
    assert _EMAIL not in page


def send_what_is_refused(marked: Marked) -> None:
    wrong: list[dict[str, object]] = [
        {"email": f"{_EMAIL} and more"},
        {"email": {"is": _EMAIL}},
        {"email": _EMAIL * 9},
        {"name": "Quokka " * 20},
        {"name": f"Quokka\0{_EMAIL}"},
        {"body": "quokka " * 999},
        {"product_id": _EMAIL},
        {"product_id": 2**70},
        {"photos": [f"ftp://{_EMAIL}"]},
        {"photos": _EMAIL},
    ]
    for path in (_PAGES, _ANSWERS):
        for fields in wrong:
            marked.post(path, **fields)
        for broken in (
            f'{{"email": "{_EMAIL}", "name": quokka}}',
            f'"{_EMAIL}',
            f'["{_EMAIL}"]',
            f'{{"{_EMAIL}": NaN}}',
            "[" * 200 + _EMAIL,
            f'{{"email": "{_EMAIL}" \udcff}}',
        ):
            content = broken.encode(errors="surrogateescape")
            for kind in ("application/json", "text/plain", f"text/{_MARK}", f"{_EMAIL}"):
                headers = {"Content-Type": kind}
                assert marked.send("POST", path, content=content, headers=headers) in {
                    400,
                    404,
                    415,
                    422,
                }
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            marked.send("POST", path, content=content, headers=form)
        many = "&".join(f"{_ENCODED}{n}={_ENCODED}" for n in range(200))
        assert marked.send("POST", path, content=many, headers=form) == 400
        for size in (70_000, 2_000_000):
            assert marked.send("POST", path, content=f"{_EMAIL} " * (size // 30)) in {413, 415}
        assert marked.send(
            "POST", path, json=_ANSWER, headers={"Idempotency-Key": "quok\x01quokka"}
        )
    for uri in (
        f"/qa/questions?product_id={_ENCODED}",
        f"/qa/questions?product_id=1&page={_EMAIL}",
        f"/qa/questions?product_id=1&email={_EMAIL}",
        f"/qa/questions?email={_ENCODED}&product_id=1",
        f"/qa/questions/{_EMAIL}/answers",
        f"/qa/questions/{_ENCODED}/helpful",
        f"/qa/answers/{_EMAIL}/report",
        f"/{_EMAIL}",
        f"/docs/{_EMAIL}",
        f"/metrics/{_EMAIL}",
        f"/qa/questions?product_id=1&{_MARK}={_EMAIL * 999}",
    ):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUOKKA"):
            marked.send(method, uri, json=_QUESTION)
            marked.send(method, uri, headers={"Accept": "application/problem+json"})
    marked.send("GET", "/qa/questions?product_id=1", headers={"X-Long": _EMAIL * 3000})


def send_what_is_no_http(marked: Marked) -> None:
    address = marked.service_folder / "instance-1.sock"
    host = "Host: shop\r\nConnection: close\r\n"
    for request in (
        f"{_EMAIL} / HTTP/1.1\r\n{host}\r\n",
        f"GET /{_EMAIL} {_EMAIL} HTTP/1.1\r\n{host}\r\n",
        f"GET /qa/questions?email={_EMAIL} HTTP/9.9\r\n{host}\r\n",
        f"GET / HTTP/1.1\r\n{host}{_EMAIL}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {_EMAIL}/\x01\r\n\r\n",
        f"POST {_PAGES} HTTP/1.1\r\n{host}Content-Length: {_EMAIL}\r\n\r\n",
        f"POST {_PAGES} HTTP/1.1\r\n{host}Transfer-Encoding: {_EMAIL}\r\n\r\n",
        f"GET http://{_EMAIL}/qa?{_EMAIL} HTTP/1.0\r\n\r\n",
    ):
        marked.raw(request)
        marked.raw(request, address)
    # An instance without nginx before it takes the id of whoever asks; it must be one.
    for given in (_EMAIL, "quokka person"):
        marked.raw(f"GET /x HTTP/1.1\r\n{host}X-Request-ID: {given}\r\n\r\n", address)


async def break_constraints(marked: Marked) -> None:
    """Have PostgreSQL refuse rows in every way; its details quote them."""
    async with administrator(marked) as connection:
        for name, constraint in {
            "check": "CHECK (asker_email !~ 'person') NOT VALID",
            "foreign": "FOREIGN KEY (asker_email) REFERENCES known NOT VALID",
            "exclusion": "EXCLUDE (asker_email WITH =) WHERE (product_id = 77)",
        }.items():
            await connection.execute("DELETE FROM questions WHERE product_id = 77")
            if name == "foreign":
                await connection.execute("CREATE TABLE known (email text PRIMARY KEY)")
            await connection.execute(f"ALTER TABLE questions ADD CONSTRAINT refused {constraint}")
            statuses = {await asyncio.to_thread(marked.post) for _ in range(2)}
            await connection.execute("ALTER TABLE questions DROP CONSTRAINT refused")
            assert 500 in statuses, name
        await connection.execute("DROP TABLE known")


async def break_the_database(marked: Marked) -> None:
    """Have it not answer in time, not have what is asked for, crash, and be away."""
    async with administrator(marked) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE questions, answers IN ACCESS EXCLUSIVE MODE")
            assert await asyncio.to_thread(marked.post) == 503
            assert await asyncio.to_thread(marked.post, _ANSWERS) == 503
        await connection.execute("ALTER TABLE questions RENAME asker_email TO other")
        assert await asyncio.to_thread(marked.post) == 503
        await connection.execute("ALTER TABLE questions RENAME other TO asker_email")
        await connection.execute("BEGIN; LOCK TABLE questions IN ACCESS EXCLUSIVE MODE")
        refused = asyncio.create_task(asyncio.to_thread(marked.post))
        os.kill(await _pid_of_waiting(connection), signal.SIGKILL)
        assert await refused == 503
        connection.terminate()
    wait_until(lambda: marked.post() == 201, "PostgreSQL is not back")


async def _pid_of_waiting(connection: asyncpg.Connection) -> int:
    """Wait until a statement waits for a lock; return its process."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not (pid := await connection.fetchval(waiting)):  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(0.02)
    return int(pid)


async def break_instances(marked: Marked) -> None:
    """Kill one while it has a post, and have nginx find none."""
    socket_file = marked.service_folder / "instance-1.sock"
    async with administrator(marked) as connection, connection.transaction():
        await connection.execute("LOCK TABLE questions IN ACCESS EXCLUSIVE MODE")
        refused = asyncio.create_task(asyncio.to_thread(marked.post))
        await _pid_of_waiting(connection)
        status = json.loads(run(marked.home, "status", "--json").stdout)
        os.kill(status["instances"][0]["pid"], signal.SIGKILL)
        assert await refused in {502, 503}
        marked.post()
    wait_until(lambda: marked.post() == 201, "the instance is not back")
    away = socket_file.with_name("away")
    socket_file.rename(away)
    await asyncio.sleep(2.5)  # nginx keeps its connections to instances for two seconds
    assert marked.post() in {502, 503}
    marked.send("GET", f"/qa/questions?product_id=1&email={_EMAIL}")
    away.rename(socket_file)
    wait_until(lambda: marked.post() == 201, "nginx does not go on")


def import_with_rejects(marked: Marked, folder: Path) -> list[str]:
    """Import rows that are refused, and a file without a header; return what was said."""
    rejects = folder / "rejects.csv"
    good = b'90001,77,"A quokka body?",1595884714409,"Quokka Name","%b",0,1' % _EMAIL.encode()
    rows = [good, good, good.replace(b"1595884714409", _EMAIL.encode()), good + b",quokka"]
    orphan = b'1,999999999,"Quokka",1595884714409,"Quokka","%b",0,0' % _EMAIL.encode()
    write_export(folder, questions=rows, answers=[orphan], photos=[])
    said = []
    for options in ([], ["--strict"]):
        done = run(marked.home, "import", str(folder), "--rejects", str(rejects), *options)
        said += [done.stdout, done.stderr]
    assert "rejected" in said[0]
    assert _EMAIL in rejects.read_text(), "it is what that file is for"
    (folder / "questions.csv").write_bytes(good + b"\n")
    headerless = run(marked.home, "import", str(folder))
    assert "has no header line" in headerless.stderr
    return [*said, headerless.stdout, headerless.stderr]


def commands(marked: Marked) -> list[str]:
    """Return what commands about the service and about the person say."""
    said = []
    for arguments in (
        ["status", "--json"],
        ["logs", "-n", "1000000"],
        ["privacy", "erase", _EMAIL],
        ["privacy", "erase", _EMAIL, "--yes"],
        ["privacy", "erase", _EMAIL, "--yes"],
        ["privacy", "export", _EMAIL],
        ["privacy", "erase", _MARK],
    ):
        done = run(marked.home, *arguments)
        said += [done.stdout, done.stderr]
    return said


def written(marked: Marked) -> dict[str, str]:
    """Return all that the service wrote anywhere but into the database, by where it is."""
    metrics = httpx.get(f"http://127.0.0.1:{marked.metrics_port}/metrics").text
    data = Home.open(marked.home).data
    files = {}
    for top in (marked.home.parent, marked.service_folder):
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if Path(folder, name) != data]
            paths = [Path(folder, name) for name in names]
            files.update({str(p): p.read_text(errors="replace") for p in paths if p.is_file()})
    return files | {"up": marked.running.said, "metrics": metrics}


async def test_nothing_of_a_person_is_in_anything_that_the_service_writes(
    marked: Marked, tmp_path: Path
) -> None:
    send_what_succeeds(marked)
    send_what_is_refused(marked)
    send_what_is_no_http(marked)
    await break_constraints(marked)
    await break_the_database(marked)
    await break_instances(marked)
    said = import_with_rejects(marked, tmp_path)
    said += commands(marked)
    wait_until(lambda: '"uri":"/qa/questions?..."' in marked.log("access"), "it is not logged")

    # It did happen, and was logged.
    assert "CheckViolationError" in marked.log("instance-1")
    assert 'violates check constraint "refused"' in marked.log("postgresql")
    assert "statement timeout" in marked.log("postgresql")
    assert "was terminated by signal 9" in marked.log("postgresql")
    assert "instance 1 ended (SIGKILL)" in marked.running.said
    assert {400, 404, 405, 413, 414, 415, 422, 431, 500, 502, 503} <= {s for s, _ in marked.answers}

    places = written(marked) | {f"command {n}": text for n, text in enumerate(said)}
    places |= {f"answer {n}": each for n, each in enumerate(unpublished(marked))}
    assert {place: leaks for place, text in places.items() if (leaks := leaks_in(text))} == {}


def unpublished(marked: Marked) -> list[str]:
    """Return what was answered but for what pages are there to show."""
    public = re.compile("A quokka body\\?|Quokka Name|https://photos.example/quokka.jpg")
    return [public.sub("", text) if status == 200 else text for status, text in marked.answers]


def leaks_in(text: str) -> list[str]:
    """Return the lines that hold something of the person."""
    return [line[:300] for line in text.splitlines() if _MARK in line.lower() or _CLIENT in line][
        :3
    ]
