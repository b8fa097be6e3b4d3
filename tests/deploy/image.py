"""The image is built, and its processes serve as compose.yaml says: `make test-image`.

There is no container engine here: buildah builds the image on a base made by debootstrap, and runs
each command in a network namespace of its own, which stands for the container's network. A
read-only root and dropped capabilities need an engine; the image's user can write only to /tmp
anyway. It needs root, Debian's buildah and debootstrap, and a package index. TEST_BASE may name a
folder with the root file system of a Debian that has python3, python3-venv and ca-certificates.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.local.postgres.server import PORT
from tests.chaos.hosts import Host, network
from tests.chaos.postgres import postgres_on
from tests.deploy.test_compose import SERVICES, variables
from tests.support.cluster import program
from tests.support.parts import program_or_skip
from tests.support.postgres import temporary_folder
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_CONTAINERFILE = _ROOT / "deploy" / "container" / "Containerfile"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_RELEASE, _IMAGE = "trixie", "localhost/atelier"


class Image:
    """The built image; its commands run with a folder of secrets, each on a host."""

    def __init__(self, work: Path, secrets_folder: Path) -> None:
        store = ("--root", str(work / "storage"), "--runroot", str(work / "run"))
        self._buildah = (program_or_skip("buildah", "buildah"), "--storage-driver", "vfs", *store)
        self._work, self.secrets = work, secrets_folder
        self._container = ""

    def build(self) -> None:
        """Build the image on a new Debian."""
        base = os.environ.get("TEST_BASE") or self._new_base()
        scratch = self("from", "scratch")
        self("add", "-q", scratch, base, "/")
        self("commit", "-q", scratch, f"localhost/{_RELEASE}")
        files = ("-f", str(_CONTAINERFILE), "-t", _IMAGE, "--format", "docker")
        options = ("--isolation", "chroot", "--build-arg", f"BASE=localhost/{_RELEASE}")
        trusted = ("--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro")  # this machine's index
        self("bud", "-q", *options, *trusted, *files, str(_ROOT))
        self._container = self("from", _IMAGE)

    def _new_base(self) -> str:
        debootstrap = program_or_skip("debootstrap", "debootstrap")
        packages = "--include=python3,python3-venv,ca-certificates"
        base = str(self._work / _RELEASE)
        subprocess.run([debootstrap, "--variant=minbase", packages, _RELEASE, base], check=True)
        return base

    def command(self, service: str, host: Host, *arguments: str) -> list[str]:
        """Return the command that runs a service of compose.yaml, or arguments, on a host."""
        described = SERVICES[service]
        given = list(arguments) or [
            *described.get("entrypoint", ["atelier"]),
            *described["command"],
        ]
        environment = [f"--env={name}={value}" for name, value in variables(described)]
        mounts = [
            f"--volume={self.secrets / name.replace('_', '-')}:/run/secrets/{name}:ro"
            for name in described.get("secrets", ())
        ]
        names = self._work / "resolv.conf"
        mounts.append(f"--volume={names}:/etc/resolv.conf:ro")
        run = ("run", "--isolation", "chroot", *environment, *mounts)
        return [*host.prefix, *self._buildah, *run, self._container, "--", *given]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._buildah, *arguments], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Host]]:
    with network(["db", "web", "app1", "app2", "app3"]) as made:
        yield made


@pytest.fixture(scope="module")
def image(hosts: Sequence[Host], tmp_path_factory: pytest.TempPathFactory) -> Image:
    work = tmp_path_factory.mktemp("image")
    shutil.copy(_ROOT / "deploy" / "container" / "secrets.sh", work)
    subprocess.run([work / "secrets.sh"], check=True)
    for file in (work / "secrets").glob("*-url"):
        file.write_text(file.read_text().replace("@postgres/", f"@{hosts[0].address}:{PORT}/"))
    (work / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    image = Image(work, work / "secrets")
    image.build()
    return image


@pytest.fixture(scope="module")
async def deployment(image: Image, hosts: Sequence[Host]) -> AsyncIterator[str]:
    """Run what compose.yaml describes; yield its address."""
    database, web, *apps = hosts
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        postgres = postgres_on(database, folder, "scram-sha-256")
        stack.callback(postgres.stop)
        postgres.start(listen_addresses=database.address)
        await _create_owner(postgres.dsn, (image.secrets / "owner-password").read_text())
        with program(image.command("setup", web)) as setup:
            assert setup.wait(120) == 0
        for app in apps:
            stack.enter_context(program(image.command("instance", app)))
        names = [sys.executable, "-m", "tests.support.names", *(app.address for app in apps)]
        stack.enter_context(program([*web.prefix, *names]))
        stack.enter_context(program(image.command("nginx", web)))
        address = f"http://{web.address}:8080"
        wait_until(lambda: _is_ready(address), "the deployment is not ready", seconds=120)
        yield address


async def _create_owner(dsn: str, password: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"CREATE ROLE atelier_owner LOGIN CREATEROLE PASSWORD '{password}'")
    await admin.execute("CREATE DATABASE atelier OWNER atelier_owner")
    await admin.close()


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready", timeout=2).is_success
    except httpx.HTTPError:
        return False


def test_its_processes_serve_as_the_compose_file_says(deployment: str) -> None:
    asked = {"product_id": 1, "body": "Is it warm?", "name": "Ann", "email": "ann@shop.example"}
    assert httpx.post(f"{deployment}/qa/questions", json=asked).status_code == HTTPStatus.CREATED
    for _ in range(20):  # by all instances
        page = httpx.get(f"{deployment}/qa/questions", params={"product_id": 1}).json()
        assert [each["question_body"] for each in page["results"]] == ["Is it warm?"]


def test_its_user_is_not_root_and_can_change_nothing(image: Image, hosts: Sequence[Host]) -> None:
    _, web, *_ = hosts
    script = "id -u; find / -xdev -writable -not -type l -not -path '/proc/*' 2>/dev/null"
    command = image.command("instance", web, "sh", "-c", script)
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    user, *writable = found.stdout.split()
    assert user == "10001"
    temporary = ("/tmp", "/var/tmp", "/dev", "/run/lock")  # noqa: S108 - in the container
    assert [each for each in writable if not each.startswith(temporary)] == []
