"""The boot script, run for real on this system; only what would change the system is recorded."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.bundle import bundle
from tests.support.postgres import temporary_folder

_RECORDED = ("systemctl", "dpkg", "rpm", "dnf", "apt-get", "useradd", "cloud-init")
_NAMESPACE = """
set -e
mount -t tmpfs none "$WORK/layers"
cd "$WORK/layers"
for folder in etc opt; do
    mkdir $folder $folder-work
    mount -t overlay -o "lowerdir=/$folder,upperdir=$folder,workdir=$folder-work" none "/$folder"
done
"""
"""/etc and /opt keep no change: they are overlays in a mount namespace of the test."""


@dataclass
class System:
    """The system of the tests, on which a boot script can be run without a trace."""

    folder: Path
    release: Path

    def boot(self, then: str = "", **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the boot script, and commands after it, with recorded programs in the path."""
        (self.folder / "calls").write_text("")
        path = f"{self.folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", f'{_NAMESPACE}\nsh "$RELEASE/boot.sh"\n{then}'],
            env=os.environ
            | {"WORK": str(self.folder), "RELEASE": str(self.release), "PATH": path}
            | inputs,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What the recorded programs were called with, in order."""
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Return this system with an unpacked release, which the first run installs."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, for a mount namespace")
    with temporary_folder() as folder:
        for name in ("bin", "layers"):
            (folder / name).mkdir()
        for name in _RECORDED:
            _write_program(folder / "bin" / name, f'echo "{name} $*" >>{folder}/calls')
        answers = f'echo "curl $*" >>{folder}/calls; [ ! -e {folder}/silent ]'
        _write_program(folder / "bin" / "curl", answers)
        with tarfile.open(bundle(folder)) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # from 3.11.4 on
            archive.extractall(folder)  # noqa: S202 - it was built a line above
        yield System(folder, next(folder.glob("atelier-*/boot.sh")).parent)


def _write_program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_a_host_becomes_an_instance_per_cpu(system: System) -> None:
    done = system.boot(
        "/opt/atelier/current/venv/bin/atelier --version; cat /etc/atelier/service.env;"
        "ls /etc/systemd/system",
        ROLE="app",
        PROCESSES="2",
        SETTINGS="ATELIER_VOTE_ONCE=address ATELIER_POOL_SIZE=4",
    )
    assert done.returncode == 0, done.stderr
    assert "app is ready\natelier " in done.stdout
    assert "ATELIER_VOTE_ONCE=address\nATELIER_POOL_SIZE=4\nBIND=0.0.0.0\n" in done.stdout
    assert "atelier@.service" in done.stdout
    called = [" ".join(call.split()[:3]) for call in system.calls[-6:]]
    ready = [call.rpartition(" ")[2] for call in system.calls[-6:]]
    for number, port in ((0, 9001), (3, 9002)):  # one is ready before the next is restarted
        assert called[number] == f"systemctl enable atelier@{port}.service"
        assert called[number + 1] == f"systemctl restart atelier@{port}.service"
        assert ready[number + 2] == f"http://127.0.0.1:{port}/ready"


def test_a_host_becomes_nginx_for_its_servers(system: System) -> None:
    done = system.boot(
        "cat /etc/atelier/nginx.conf; readlink /etc/systemd/system/nginx.service",
        ROLE="nginx",
        SERVERS="10.0.0.1:9001 10.0.0.2:9001",
        LISTEN="8080",
    )
    assert done.returncode == 0, done.stderr
    assert "server 10.0.0.1:9001 " in done.stdout
    assert "server 10.0.0.2:9001 " in done.stdout
    assert "least_conn" in done.stdout
    assert done.stdout.splitlines()[-1] == "atelier-nginx.service"
    assert "systemctl reload-or-restart atelier-nginx.service" in system.calls


def test_a_host_that_is_nginx_already_does_not_stop_it(system: System) -> None:
    again = f': >{system.folder}/calls; sh "$RELEASE/boot.sh"'
    done = system.boot(again, ROLE="nginx", SERVERS="10.0.0.1:9001")
    assert done.returncode == 0, done.stderr
    assert not [call for call in system.calls if call.startswith("systemctl stop")]


def test_a_host_without_its_database_fails_with_the_last_answer(system: System) -> None:
    (system.folder / "silent").touch()
    try:
        done = system.boot(ROLE="app", PROCESSES="1", WAIT_SECONDS="1")
    finally:
        (system.folder / "silent").unlink()
    assert done.returncode == 1
    assert "9001/ready did not answer 200 within 1 s; its last answer:" in done.stdout
    assert "app is ready" not in done.stdout


def test_an_image_holds_nothing_of_its_host(system: System) -> None:
    done = system.boot("ls /etc/atelier", ROLE="image")
    assert done.returncode == 0, done.stderr
    assert "host.env" not in done.stdout
    assert system.calls[-2:] == ["cloud-init clean --logs --machine-id", "systemctl poweroff"]


def test_a_changed_package_is_not_installed(system: System) -> None:
    changed = system.folder / "changed"
    shutil.copytree(system.release, changed, ignore=shutil.ignore_patterns("venv", "installed"))
    lock = changed / "requirements.txt"
    lock.write_text(lock.read_text().replace("--hash=sha256:", "--hash=sha256:0")[:-1])
    done = System(system.folder, changed).boot(ROLE="app")
    assert done.returncode != 0
    assert not (changed / "installed").exists()
