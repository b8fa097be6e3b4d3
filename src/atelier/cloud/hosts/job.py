"""Migrates the database, and imports an export, on a host that ends afterwards."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from atelier.cloud.hosts.host import Host
from atelier.cloud.hosts.secrets import owner, secret, url
from atelier.local.postgres.roles import SERVICE_ROLE

_UPLOAD_SECONDS = 5.0


def run(host: Host) -> int:
    """Migrate; with JOB=import also import; return the exit code, which is stored, too."""
    with tempfile.TemporaryDirectory(prefix="atelier-job-") as folder:
        work = Path(folder)
        log = work / "log"
        with log.open("w") as output, _Uploads(host, log):
            code = _steps(host, work, output.fileno())
    if job := host.inputs.get("JOB_ID"):
        host.client("s3").put_object(
            Bucket=host.inputs["RELEASE_BUCKET"], Key=f"jobs/{job}.exit", Body=str(code).encode()
        )
    return code


def _steps(host: Host, work: Path, output: int) -> int:
    user, password = owner(host)
    role = work / "password"
    role.write_text(secret(host, "PASSWORD_SECRET"))
    commands = [
        ["migrate"],
        ["db", "roles", "--apply", "--role", SERVICE_ROLE, "--password-file", str(role)],
    ]
    if host.inputs["JOB"] == "import":
        export = _download(host, work / "export")
        replace = ["--replace", "--yes"] if host.inputs.get("REPLACE") else []
        rejects = ["--rejects", str(work / "rejects.csv")]
        commands.append(["import", str(export), *rejects, *replace])
    address = host.inputs["DATABASE_HOST"]
    environment = dict(os.environ) | {
        "ATELIER_ADMIN_DATABASE_URL": url(host, address, user, password),
        "ATELIER_DATABASE_URL": url(host, address, SERVICE_ROLE, role.read_text()),
        "ATELIER_HOME": str(work),
    }
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "atelier", *command],
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
        if done.returncode:
            return done.returncode
    return 0


def _download(host: Host, folder: Path) -> Path:
    """Download the export of this job; return its folder."""
    s3, bucket = host.client("s3"), host.inputs["RELEASE_BUCKET"]
    prefix = f"imports/{host.inputs['JOB_ID']}/"
    folder.mkdir()
    for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        s3.download_file(bucket, each["Key"], str(folder / each["Key"].removeprefix(prefix)))
    return folder


class _Uploads:
    """Uploads a growing log every few seconds, and once more at the end."""

    def __init__(self, host: Host, log: Path) -> None:
        self._s3, self._log = host.client("s3"), log
        self._bucket, self._job = host.inputs["RELEASE_BUCKET"], host.inputs.get("JOB_ID")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        sys.stdout.write(self._log.read_text(errors="replace"))
        self._upload()

    def _loop(self) -> None:
        while not self._over.wait(_UPLOAD_SECONDS):
            self._upload()

    def _upload(self) -> None:
        if self._job:
            key = f"jobs/{self._job}.log"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._log.read_bytes())
