"""`make test-hosts`: the service on hosts of its own, under load, as docs/deploy-hosts.md says.

Every host is a Debian 13 with systemd in namespaces, with an address of its own: two of PostgreSQL,
one of nginx, three of instances, and two more that come later. The boot script of a release
installs them. Needs root, and Debian's registry. Not part of `make test`, because it takes minutes.
"""

import asyncio
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from atelier.store.connections.database import connect
from scripts.bundle import bundle
from tests.chaos.assertions import assert_documents_are_the_view, assert_written_once
from tests.chaos.clients import reading
from tests.chaos.connection import Connection, Response
from tests.chaos.hosts import Host, network
from tests.chaos.known_products import KnownProducts, add_products
from tests.chaos.measure import UNAVAILABLE, Samples, longest
from tests.chaos.service import connected
from tests.chaos.writers import Writer, writing
from tests.deploy.machines import Machine, Roots, debian
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_MIGRATIONS = Path("src/atelier/store/migrations")
_HOSTS = ("image1", "image2", "db1", "db2", "web", "app1", "app2", "app3", "app4", "app5")
_PASSWORD = "not-a-secret"
_PRODUCTS = 2000
_READS, _WRITES = 100, 40
_RATE, _SECONDS = 300, 30
_RELEASES = "/opt/atelier/releases"
_CLUSTER = "/etc/postgresql/17/main"


def say(text: str) -> None:
    """Print a line of the report."""
    sys.stdout.write(f"  {text}\n")


@dataclass
class Deployment:
    """The hosts of the service."""

    roots: Roots
    spare: list[Machine]
    databases: list[Machine]
    web: Machine
    apps: list[Machine] = field(default_factory=list)
    release: str = "old"

    @property
    def address(self) -> tuple[str, int]:
        return self.web.address, 80

    def url(self, role: str, host: str) -> str:
        return f"postgresql://{role}:{_PASSWORD}@{host}/atelier"

    @property
    def owner(self) -> str:
        """The owner's URL, for clients outside the hosts."""
        return self.url("atelier_owner", self.databases[0].address)

    def atelier(self, *commands: str) -> str:
        """Run commands of the release as the owner, on the first host of instances."""
        program = f"{_RELEASES}/{self.release}/venv/bin/atelier"
        owner = self.url("atelier_owner", "database")
        environment = {"ATELIER_DATABASE_URL": owner, "ATELIER_HOME": "/nonexistent"}
        return self.apps[0]("\n".join(f"{program} {each}" for each in commands), **environment)

    def boot(self, machine: Machine, **inputs: str) -> None:
        """Run the boot script of the release on a host."""
        machine(f"sh {_RELEASES}/{self.release}/boot.sh", **inputs)

    def boot_app(self, machine: Machine) -> None:
        self.boot(machine, ROLE="app", PROCESSES="1", WAIT_SECONDS="60")

    def boot_web(self) -> None:
        """Write nginx's configuration for the present hosts of instances, and reload it."""
        servers = " ".join(f"{app.address}:9001" for app in self.apps)
        self.boot(self.web, ROLE="nginx", SERVERS=servers, WAIT_SECONDS="60")

    def prepare_app(self, machine: Machine) -> None:
        """Give a host of instances its secrets and the names of the databases."""
        names = zip(("database", "standby"), self.databases, strict=False)
        machine.write("/etc/hosts", "".join(f"{each.address} {name}\n" for name, each in names))
        machine("chmod 644 /etc/hosts; echo 'hosts: files' >/etc/nsswitch.conf")
        service = self.url("atelier_service", "database")
        machine.write(
            "/etc/atelier/secrets.env",
            f"ATELIER_DATABASE_URL={service}\n"
            f"ATELIER_READ_DATABASE_URL={self.url('atelier_service', 'standby')}\n"
            f"ATELIER_SECRET={'s' * 40}\n",
        )


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """Run the last release on a primary, a standby, nginx and three hosts of instances."""
    with temporary_folder() as folder, network(_HOSTS) as hosts, ExitStack() as stack:
        image1, image2, *others = hosts
        roots = _roots(folder, image1, image2)
        first, second, web, *apps = [stack.enter_context(roots.boot(host)) for host in others]
        made = Deployment(roots, apps[3:], [first, second], web, apps[:3])
        _start_databases(first, second)
        for app in made.apps:
            made.prepare_app(app)
        made.apps[0].write("/etc/atelier/password", _PASSWORD)
        made.atelier("migrate", "db roles --apply --password-file /etc/atelier/password")
        made.atelier(f"generate /tmp/export --products {_PRODUCTS}", "import /tmp/export")
        for app in made.apps:
            made.boot_app(app)
        made.boot_web()
        say(f"{len(others)} hosts, three of them with instances at first")
        yield made


def _roots(folder: Path, *images: Host) -> Roots:
    """Return a Debian with both releases, installed as `atelier aws bake` does."""
    roots = debian(folder)
    for name, image in zip(("old", "new"), images, strict=True):
        release = _unpacked(folder, name)
        with roots.boot(image, keep=True) as machine:
            machine.put(release, f"{_RELEASES}/{name}")
            machine(f"ROLE=image sh {_RELEASES}/{name}/boot.sh || true")
            machine.power_off()
        roots = roots.with_layer(image)
    return roots


def _unpacked(folder: Path, name: str) -> Path:
    """Return the unpacked release: of this code, or of the commit before its newest migration."""
    made = folder / name
    if name == "new":
        file = bundle(made, ["3.13"], "x86_64")
    else:
        source = folder / "source"
        source.mkdir()
        commit = _commit_before_the_newest_migration()
        say(f"from {commit} to this code")
        archive = subprocess.run(
            ["git", "archive", commit], cwd=_ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-xC", source], input=archive.stdout, check=True)
        command = [
            sys.executable,
            "-m",
            "scripts.bundle",
            "--python",
            "3.13",
            "--machine",
            "x86_64",
        ]
        subprocess.run(command, cwd=source, check=True, capture_output=True)
        (file,) = (source / "dist").glob("*-hosts.tar.gz")
    with tarfile.open(file) as packed:
        packed.extractall(made, filter="data")
    return next(made.glob("atelier-*/boot.sh")).parent


def _commit_before_the_newest_migration() -> str:
    newest = max((_ROOT / _MIGRATIONS).glob("*.sql")).relative_to(_ROOT)
    log = ("log", "--first-parent", "--format=%h", "-1000")
    for commit in _git(*log).split():
        if not _git("ls-tree", commit, str(newest)):
            return commit
    pytest.skip("the history has no release without the newest migration")


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=_ROOT, check=True, capture_output=True, text=True
    ).stdout


def _start_databases(primary: Machine, standby: Machine) -> None:
    """Start PostgreSQL with a synchronous standby, as docs/deploy-hosts.md describes its roles."""
    prepare = f"""
        pg_createcluster 17 main >/dev/null
        echo "host all,replication all samenet scram-sha-256" >>{_CLUSTER}/pg_hba.conf
        echo "listen_addresses = '*'" >>{_CLUSTER}/postgresql.conf
    """
    primary(f"""{prepare}
        pg_ctlcluster 17 main start
        runuser -u postgres -- psql -q \
            -c "CREATE ROLE replica REPLICATION LOGIN PASSWORD '{_PASSWORD}'" \
            -c "CREATE ROLE atelier_owner LOGIN CREATEROLE PASSWORD '{_PASSWORD}'" \
            -c "CREATE DATABASE atelier OWNER atelier_owner"
    """)
    standby(f"""{prepare}
        rm -r /var/lib/postgresql/17/main
        PGPASSWORD={_PASSWORD} runuser -u postgres -- pg_basebackup -R -c fast \
            -h {primary.address} -U replica -D /var/lib/postgresql/17/main
        pg_ctlcluster 17 main start
    """)
    primary("""runuser -u postgres -- psql -q \
        -c "ALTER SYSTEM SET synchronous_standby_names = '*'" \
        -c "SELECT pg_reload_conf()" >/dev/null""")


@pytest.fixture(scope="module")
async def products(deployment: Deployment) -> KnownProducts:
    async with connected(deployment.owner) as connection:
        return await add_products(connection)


@pytest.fixture(autouse=True)
def sent_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send a request again that met a closed connection, as HTTP clients do with safe requests.

    Debian's nginx closes idle connections at a reload; from 1.27.4 on, it waits for their next
    request. The writers' requests are safe, too, because they have an `Idempotency-Key`.
    """
    request = Connection.request
    met: list[str] = []

    async def repeated(self: Connection, *given: Any, **named: Any) -> Response:  # noqa: ANN401
        is_reused = self._streams is not None
        try:
            return await request(self, *given, **named)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if not is_reused or getattr(error, "partial", None):
                raise
            met.append(str(error))
            return await request(self, *given, **named)

    monkeypatch.setattr(Connection, "request", repeated)
    yield
    say(f"{len(met)} requests met a connection that nginx had closed, and were sent again")


@dataclass
class Load:
    """What clients saw."""

    reads: Samples
    writes: Samples
    writers: "list[Writer]"

    def report(self, what: str) -> None:
        faults = self.reads.faults + self.writes.faults
        slowest = longest(self.reads.all + self.writes.all)
        say(
            f"{what}: {len(self.reads.all)} reads, {len(self.writes.all)} requests of writers, "
            f"{faults.total()} failed, the longest took {slowest:.1f} s"
        )
        for fault, times in faults.most_common():
            say(f"  {times} x {fault}")


@asynccontextmanager
async def load(
    deployment: Deployment, products: KnownProducts, tolerated: frozenset[int] = frozenset()
) -> AsyncIterator[Load]:
    """Read and write through nginx in the context; then nothing acknowledged may be missing."""
    connection = await connect(deployment.owner)
    try:
        address = deployment.address
        async with (
            reading(address, products, _READS, tolerated) as reads,
            writing(address, connection, _WRITES, tolerated) as (writes, writers),
        ):
            seen = Load(reads, writes, list(writers))
            yield seen
    finally:
        connection.terminate()  # its host may have lost power
    async with connected(deployment.owner) as connection:  # another host, after a failover
        kept = await assert_written_once(connection, seen.writers)
        await assert_documents_are_the_view(connection)
    say(f"{kept} acknowledged writes, all kept, each once")


def k6(script: str, deployment: Deployment, **settings: object) -> None:
    """Run a script of bench/k6 against nginx's host; its thresholds must hold."""
    given = {"BASE_URL": "http://{}:{}".format(*deployment.address), "PRODUCTS": _PRODUCTS}
    options = [f"-e{name}={value}" for name, value in {**given, **settings}.items()]
    program = str(Path(sys.executable).with_name("k6"))
    command = [program, "run", "--no-usage-report", "--quiet", *options, f"bench/k6/{script}.js"]
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("checks_succeeded", "http_req_failed", "http_req_duration", "http_reqs"):
        if found := re.search(rf"{name}\.*: *(.*)", done.stdout):
            say(f"{script}.js: {name} {' '.join(found[1].split())}")


def test_every_endpoint_answers_through_nginx_and_a_load_fails_no_request(
    deployment: Deployment,
) -> None:
    k6("smoke", deployment)
    patient = {"P50_MS": 60_000, "P99_MS": 60_000, "DROPPED": 10**9}  # no timing is asserted
    k6("load", deployment, RATE=_RATE, SECONDS=_SECONDS, WORKLOAD="mix", **patient)


def test_the_logs_of_nginx_are_rotated(deployment: Deployment) -> None:
    read = "curl -s -o /dev/null http://127.0.0.1/qa/questions?product_id=1; sleep 2"
    rotate = "logrotate --force /etc/logrotate.d/nginx"
    logged = deployment.web(f"{read}; {rotate}; {read}; cat /var/log/nginx/access.log")
    assert "product_id=1" in logged, "nginx writes to the old file"


async def test_upgrade_and_rollback_fail_no_request(
    deployment: Deployment, products: KnownProducts
) -> None:
    def replace_all(release: str) -> None:
        deployment.release = release
        for app in deployment.apps:
            deployment.boot_app(app)

    def migrate() -> str:
        deployment.release = "new"
        return deployment.atelier("migrate")

    async with load(deployment, products) as seen:
        await asyncio.sleep(2)
        say(", ".join((await asyncio.to_thread(migrate)).splitlines()))
        for release in ("new", "old", "new"):
            await asyncio.to_thread(replace_all, release)
            await asyncio.sleep(2)
        await asyncio.to_thread(deployment.boot_web)
    seen.report("upgrade, rollback, upgrade")
    assert seen.reads.faults + seen.writes.faults == {}


async def test_hosts_die_come_and_go_without_a_failed_request(
    deployment: Deployment, products: KnownProducts
) -> None:
    def add_two() -> None:
        for machine in deployment.spare:
            deployment.prepare_app(machine)
            deployment.boot_app(machine)
            deployment.apps.append(machine)
        deployment.boot_web()

    def remove_one() -> None:
        leaving = deployment.apps.pop(0)
        deployment.boot_web()
        leaving.power_off()

    async with load(deployment, products) as seen:
        await asyncio.sleep(2)
        await asyncio.to_thread(deployment.apps.pop(2).lose_power)
        await asyncio.sleep(10)
        await asyncio.to_thread(add_two)
        await asyncio.sleep(3)
        await asyncio.to_thread(remove_one)
        await asyncio.sleep(3)
    seen.report("one host lost power, two were added, one was removed")
    assert seen.reads.faults + seen.writes.faults == {}


async def test_a_failover_to_the_other_database_host_loses_nothing_acknowledged(
    deployment: Deployment, products: KnownProducts
) -> None:
    def fail_over() -> None:
        lost, standby = deployment.databases
        lost.lose_power()
        time.sleep(2)
        standby("pg_ctlcluster 17 main promote")
        for app in deployment.apps:
            app(f"sed -i 's/^.* database$/{standby.address} database/' /etc/hosts")
        deployment.databases = [standby]

    async with load(deployment, products, UNAVAILABLE) as seen:
        await asyncio.sleep(3)
        lost = time.monotonic()
        await asyncio.to_thread(fail_over)
        say(f"standby promoted, name switched {time.monotonic() - lost:.1f} s after the loss")
        await asyncio.to_thread(_wait_until_ready, deployment)
        await asyncio.sleep(10)
    written = sorted(each.end for each in seen.writes.of(201, 204))
    gap = max(after - before for before, after in pairwise(written))
    say(f"the longest time without an acknowledged write: {gap:.1f} s")
    refused = [len(each.of(*UNAVAILABLE)) for each in (seen.reads, seen.writes)]
    say(f"503 meanwhile: {refused[0]} reads, {refused[1]} writes, which were sent again")
    seen.report("failover")
    assert seen.reads.faults + seen.writes.faults == {}


def _wait_until_ready(deployment: Deployment) -> None:
    url = f"http://{deployment.web.address}/ready"
    command = ["curl", "-fs", "-o", "/dev/null", "--max-time", "2", url]
    wait_until(
        lambda: subprocess.run(command, check=False).returncode == 0,
        "no database is there",
        seconds=60,
    )
