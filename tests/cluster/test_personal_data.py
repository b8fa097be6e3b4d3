"""No response, log, metric or other output of the service contains personal data.

Every route gets requests whose every value contains a marker, while components fail. Then all
responses, logs and files are searched for the marker.
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

_MARKER = "quokka"
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
_SETTINGS = {"ATELIER_REQUEST_TIMEOUT": "1", "ATELIER_VOTE_ONCE": "address"}


@dataclass
class Service:
    """A running service, and its responses so far."""

    home: Path
    service_folder: Path
    url: str
    metrics_port: int
    process: Up
    client: httpx.Client
    responses: list[tuple[int, str]] = field(default_factory=list)

    def send(self, method: str, path: str, **options: object) -> int:
        """Send a request with marked headers; store the response, return its status."""
        headers = _HEADERS | dict(options.pop("headers", {}))  # type: ignore[call-overload] # any of httpx's arguments
        response = self.client.request(method, path, headers=headers, **options)  # type: ignore[arg-type] # likewise
        self._store(response)
        return response.status_code

    def post(self, path: str = _PAGES, **fields: object) -> int:
        """Post a valid question or answer with these fields replaced and a new key."""
        valid = _ANSWER if path.endswith("/answers") else _QUESTION
        key = {"Idempotency-Key": f"quokka-key-{len(self.responses)}"}
        return self.send("POST", path, json={**valid, **fields}, headers=key)

    def raw(self, request: str, address: Path | None = None) -> str:
        """Send raw text to nginx or a unix socket; store and return the response."""
        family = socket.AF_UNIX if address else socket.AF_INET
        port = int(self.url.rpartition(":")[2])
        with socket.socket(family) as connection:
            connection.settimeout(20)
            connection.connect(str(address) if address else ("127.0.0.1", port))
            connection.sendall(request.encode())
            received = b""
            while chunk := connection.recv(1 << 16):
                received += chunk
        self.responses.append((0, received.decode()))
        return received.decode()

    def log(self, component: str) -> str:
        return (self.home / "log" / f"{component}.log").read_text()

    def _store(self, response: httpx.Response) -> None:
        text = f"{response.reason_phrase}\n{response.headers}\n{response.text}"
        self.responses.append((response.status_code, text))


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    port, metrics_port = free_port(), free_port()
    settings = {"PORT": str(port), "ATELIER_METRICS_PORT": str(metrics_port), "INSTANCES": "1"}
    with temporary_folder() as folder:
        home = folder / "home"
        with up(home, "-v", **settings, **_SETTINGS) as process:
            process.wait_for("Ready")
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, timeout=20) as client:
                yield Service(
                    home, Home.open(home).run / "service", url, metrics_port, process, client
                )


@asynccontextmanager
async def administrator(service: Service) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(Embedded.existing(service.home).server.dsn())
    try:
        yield connection
    finally:
        await connection.close()


def send_valid_requests(service: Service) -> None:
    assert service.post() == service.post(_ANSWERS) == 201
    assert service.send("POST", _PAGES, data=_QUESTION) == 201
    assert service.send("POST", _PAGES, data={**_QUESTION, "name": "Quokka again"}) == 422, (
        "the key"
    )
    for target in ("questions/1", "answers/1"):
        for action in ("helpful", "report"):
            key = {"Idempotency-Key": f"quokka-{target}-{action}"}
            reason = {"reason": "A quokka reason"}
            assert service.send("PUT", f"/qa/{target}/{action}", json=reason, headers=key) == 204
    # Texts and names are public; pages must contain nothing else.
    page = httpx.get(f"{service.url}/qa/questions?product_id=77&count=1000", headers=_HEADERS).text
    assert "A quokka body?" in page
    assert _EMAIL not in page


def send_rejected_requests(service: Service) -> None:
    invalid: list[dict[str, object]] = [
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
        for fields in invalid:
            service.post(path, **fields)
        for malformed in (
            f'{{"email": "{_EMAIL}", "name": quokka}}',
            f'"{_EMAIL}',
            f'["{_EMAIL}"]',
            f'{{"{_EMAIL}": NaN}}',
            "[" * 200 + _EMAIL,
            f'{{"email": "{_EMAIL}" \udcff}}',
        ):
            content = malformed.encode(errors="surrogateescape")
            for content_type in ("application/json", "text/plain", f"text/{_MARKER}", f"{_EMAIL}"):
                headers = {"Content-Type": content_type}
                assert service.send("POST", path, content=content, headers=headers) in {
                    400,
                    404,
                    415,
                    422,
                }
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            service.send("POST", path, content=content, headers=form)
        many = "&".join(f"{_ENCODED}{n}={_ENCODED}" for n in range(200))
        assert service.send("POST", path, content=many, headers=form) == 400
        for size in (70_000, 2_000_000):
            assert service.send("POST", path, content=f"{_EMAIL} " * (size // 30)) in {413, 415}
        assert service.send(
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
        f"/qa/questions?product_id=1&{_MARKER}={_EMAIL * 999}",
    ):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUOKKA"):
            service.send(method, uri, json=_QUESTION)
            service.send(method, uri, headers={"Accept": "application/problem+json"})
    service.send("GET", "/qa/questions?product_id=1", headers={"X-Long": _EMAIL * 3000})


def send_malformed_http(service: Service) -> None:
    address = service.service_folder / "instance-1.sock"
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
        service.raw(request)
        service.raw(request, address)
    # Without nginx, an instance gets the request id from the client; malformed ones are dropped.
    for request_id in (_EMAIL, "quokka person"):
        service.raw(f"GET /x HTTP/1.1\r\n{host}X-Request-ID: {request_id}\r\n\r\n", address)


async def break_constraints(service: Service) -> None:
    """Make PostgreSQL reject rows by each kind of constraint; its details quote them."""
    async with administrator(service) as connection:
        for name, constraint in {
            "check": "CHECK (asker_email !~ 'person') NOT VALID",
            "foreign": "FOREIGN KEY (asker_email) REFERENCES known NOT VALID",
            "exclusion": "EXCLUDE (asker_email WITH =) WHERE (product_id = 77)",
        }.items():
            await connection.execute("DELETE FROM questions WHERE product_id = 77")
            if name == "foreign":
                await connection.execute("CREATE TABLE known (email text PRIMARY KEY)")
            await connection.execute(f"ALTER TABLE questions ADD CONSTRAINT rejecting {constraint}")
            statuses = {await asyncio.to_thread(service.post) for _ in range(2)}
            await connection.execute("ALTER TABLE questions DROP CONSTRAINT rejecting")
            assert 500 in statuses, name
        await connection.execute("DROP TABLE known")


async def break_the_database(service: Service) -> None:
    """Make PostgreSQL time out, miss a column, crash and restart."""
    async with administrator(service) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE questions, answers IN ACCESS EXCLUSIVE MODE")
            assert await asyncio.to_thread(service.post) == 503
            assert await asyncio.to_thread(service.post, _ANSWERS) == 503
        await connection.execute("ALTER TABLE questions RENAME asker_email TO other")
        assert await asyncio.to_thread(service.post) == 503
        await connection.execute("ALTER TABLE questions RENAME other TO asker_email")
        await connection.execute("BEGIN; LOCK TABLE questions IN ACCESS EXCLUSIVE MODE")
        rejected = asyncio.create_task(asyncio.to_thread(service.post))
        os.kill(await _blocked_pid(connection), signal.SIGKILL)
        assert await rejected == 503
        connection.terminate()
    wait_until(lambda: service.post() == 201, "PostgreSQL is not back")


async def _blocked_pid(connection: asyncpg.Connection) -> int:
    """Wait until a statement waits for a lock; return the pid of its backend."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not (pid := await connection.fetchval(waiting)):  # noqa: ASYNC110 - PostgreSQL has no event for it
        await asyncio.sleep(0.02)
    return int(pid)


async def break_instances(service: Service) -> None:
    """Kill an instance during a POST, and make nginx find no instance."""
    socket_file = service.service_folder / "instance-1.sock"
    async with administrator(service) as connection, connection.transaction():
        await connection.execute("LOCK TABLE questions IN ACCESS EXCLUSIVE MODE")
        rejected = asyncio.create_task(asyncio.to_thread(service.post))
        await _blocked_pid(connection)
        status = json.loads(run(service.home, "status", "--json").stdout)
        os.kill(status["instances"][0]["pid"], signal.SIGKILL)
        assert await rejected in {502, 503}
        service.post()
    wait_until(lambda: service.post() == 201, "the instance is not back")
    moved = socket_file.with_name("moved")
    socket_file.rename(moved)
    await asyncio.sleep(2.5)  # nginx keeps idle connections to instances for two seconds
    assert service.post() in {502, 503}
    service.send("GET", f"/qa/questions?product_id=1&email={_EMAIL}")
    moved.rename(socket_file)
    wait_until(lambda: service.post() == 201, "nginx does not recover")


def import_with_rejects(service: Service, folder: Path) -> list[str]:
    """Import rejected rows and a file without a header; return the output."""
    rejects = folder / "rejects.csv"
    good = b'90001,77,"A quokka body?",1595884714409,"Quokka Name","%b",0,1' % _EMAIL.encode()
    rows = [good, good, good.replace(b"1595884714409", _EMAIL.encode()), good + b",quokka"]
    orphan = b'1,999999999,"Quokka",1595884714409,"Quokka","%b",0,0' % _EMAIL.encode()
    write_export(folder, questions=rows, answers=[orphan], photos=[])
    output = []
    for options in ([], ["--strict"]):
        done = run(service.home, "import", str(folder), "--rejects", str(rejects), *options)
        output += [done.stdout, done.stderr]
    assert "rejected" in output[0]
    assert _EMAIL in rejects.read_text(), "the rejects file contains the rows"
    (folder / "questions.csv").write_bytes(good + b"\n")
    headerless = run(service.home, "import", str(folder))
    assert "has no header line" in headerless.stderr
    return [*output, headerless.stdout, headerless.stderr]


def commands(service: Service) -> list[str]:
    """Return the output of commands about the service and about the person."""
    output = []
    for arguments in (
        ["status", "--json"],
        ["logs", "-n", "1000000"],
        ["privacy", "erase", _EMAIL],
        ["privacy", "erase", _EMAIL, "--yes"],
        ["privacy", "erase", _EMAIL, "--yes"],
        ["privacy", "export", _EMAIL],
        ["privacy", "erase", _MARKER],
    ):
        done = run(service.home, *arguments)
        output += [done.stdout, done.stderr]
    return output


def all_written_text(service: Service) -> dict[str, str]:
    """Return everything the service wrote outside the database, by its place."""
    metrics = httpx.get(f"http://127.0.0.1:{service.metrics_port}/metrics").text
    data = Home.open(service.home).data
    files = {}
    for top in (service.home.parent, service.service_folder):
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if Path(folder, name) != data]
            paths = [Path(folder, name) for name in names]
            files.update({str(p): p.read_text(errors="replace") for p in paths if p.is_file()})
    return files | {"up": service.process.output, "metrics": metrics}


async def test_no_output_of_the_service_contains_personal_data(
    service: Service, tmp_path: Path
) -> None:
    send_valid_requests(service)
    send_rejected_requests(service)
    send_malformed_http(service)
    await break_constraints(service)
    await break_the_database(service)
    await break_instances(service)
    output = import_with_rejects(service, tmp_path)
    output += commands(service)
    wait_until(
        lambda: '"uri":"/qa/questions?..."' in service.log("access"),
        "the request is not in access.log",
    )

    # The failures happened and were logged.
    assert "CheckViolationError" in service.log("instance-1")
    assert 'violates check constraint "rejecting"' in service.log("postgresql")
    assert "lock timeout" in service.log("postgresql")
    assert "was terminated by signal 9" in service.log("postgresql")
    assert "instance 1 exited (SIGKILL)" in service.process.output
    assert {400, 404, 405, 413, 414, 415, 422, 431, 500, 502, 503} <= {
        s for s, _ in service.responses
    }

    places = all_written_text(service) | {f"command {n}": text for n, text in enumerate(output)}
    places |= {f"response {n}": text for n, text in enumerate(non_public(service))}
    assert {place: leaks for place, text in places.items() if (leaks := leaks_in(text))} == {}


def non_public(service: Service) -> list[str]:
    """Return the responses without the public texts of pages."""
    public = re.compile("A quokka body\\?|Quokka Name|https://photos.example/quokka.jpg")
    return [public.sub("", text) if status == 200 else text for status, text in service.responses]


def leaks_in(text: str) -> list[str]:
    """Return the first lines that contain personal data."""
    return [line[:300] for line in text.splitlines() if _MARKER in line.lower() or _CLIENT in line][
        :3
    ]
