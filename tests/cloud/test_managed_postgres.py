"""A PostgreSQL as RDS offers it: no superuser, only TLS; jobs and instances on it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from atelier.cloud.hosts import job
from atelier.cloud.hosts.host import Host
from atelier.cloud.hosts.metrics import Publisher
from atelier.cloud.hosts.secrets import service_settings
from atelier.local.host.account import account_of
from atelier.local.postgres.server import USER
from tests.support.aws import Aws
from tests.support.cluster import free_port, program, wait_until_ready
from tests.support.postgres import FAST, INSTALLED, server, temporary_folder
from tests.transfer.exports import write_export

_RULES = "local all atelier trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
_OWNER = "CREATE ROLE shop LOGIN CREATEROLE CREATEDB PASSWORD 'owner word'"


@dataclass
class Managed:
    """The address of the server, and the file with its certificate."""

    host: str
    certificate: Path


@pytest.fixture(scope="module")
async def managed() -> AsyncIterator[Managed]:
    """Return a server that admits only TLS, whose database belongs to a role without superuser."""
    programs = INSTALLED.get("system-15")
    if programs is None or shutil.which("openssl") is None:
        pytest.skip("needs the system's PostgreSQL 15, which has TLS, and openssl")
    port = free_port()
    with temporary_folder() as folder:
        rules, certificate, key = folder / "rules", folder / "certificate", folder / "key"
        rules.write_text(_RULES)
        _certify(certificate, key)
        account = account_of(folder / "data", programs)
        if account.uid is not None and account.gid is not None:
            os.chown(key, account.uid, account.gid)
        settings = {
            "hba_file": str(rules),
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
        }
        with server(programs, folder, FAST | settings) as made:
            administrator = f"postgresql://{USER}@/postgres?host={made.sockets}&port={port}"
            connection = await asyncpg.connect(administrator)
            await connection.execute(_OWNER)
            await connection.execute("CREATE DATABASE atelier OWNER shop")
            await connection.close()
            yield Managed(f"localhost:{port}", certificate)


def _certify(certificate: Path, key: Path) -> None:
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", key, "-out", certificate, "-days", "2")
    command = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    subprocess.run([*command, "-nodes", *subject, *files], check=True, capture_output=True)
    key.chmod(0o600)


@pytest.fixture
def host(aws: Aws, managed: Managed) -> Host:
    """Return a host with the inputs of a job and of an instance, and their secrets."""
    secrets = aws.client("secretsmanager")
    values = {
        "ADMIN_SECRET": json.dumps({"username": "shop", "password": "owner word"}),
        "PASSWORD_SECRET": "service-word",
        "SERVICE_SECRET": "a secret of the instances",
    }
    aws.client("s3").create_bucket(Bucket="files")
    return Host(
        {
            "JOB": "migrate",
            "RELEASE_BUCKET": "files",
            "STACK": "atelier",
            "DATABASE_HOST": managed.host,
            "DATABASE_NAME": "atelier",
            "DATABASE_CA_URL": "https://given",
            "DATABASE_CA_FILE": str(managed.certificate),
            **{
                name: secrets.create_secret(Name=name, SecretString=value)["ARN"]
                for name, value in values.items()
            },
        }
    )


def importing(host: Host, number: int) -> Host:
    """Return the host of an import of the files that are stored for it."""
    more = {"JOB": "import", "JOB_ID": f"import-{number}", "REPLACE": "yes"}
    return Host({**host.inputs, **more})


def test_a_server_that_requires_tls_refuses_connections_without(managed: Managed) -> None:
    url = f"postgresql://shop:owner%20word@{managed.host}/atelier?sslmode=disable"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        asyncio.run(asyncpg.connect(url))


def test_jobs_migrate_and_import_without_superuser_and_instances_serve_it(
    aws: Aws, host: Host, tmp_path: Path
) -> None:
    assert job.run(host) == 0
    assert job.run(host) == 0  # a second time, as every release does
    s3 = aws.client("s3")
    for number in range(2):  # the second replaces the schema of the first
        for file in write_export(tmp_path / "export").iterdir():
            s3.upload_file(str(file), "files", f"imports/import-{number}/{file.name}")
        assert job.run(importing(host, number)) == 0
        assert (
            s3.get_object(Bucket="files", Key=f"jobs/import-{number}.exit")["Body"].read() == b"0"
        )
    log = s3.get_object(Bucket="files", Key="jobs/import-1.log")["Body"].read().decode()
    assert "owner word" not in log
    assert "service-word" not in log
    port = free_port()
    command = (sys.executable, "-m", "atelier", "serve", "--port", str(port))
    with program(command, **service_settings(host)):
        wait_until_ready(port)
        publisher = Publisher(host, [port])
        publisher.publish()
        page = httpx.get(f"http://127.0.0.1:{port}/qa/questions?product_id=7").json()
        assert page["results"]
        question = page["results"][0]["question_id"]
        voted = httpx.put(f"http://127.0.0.1:{port}/qa/questions/{question}/helpful")
        assert voted.status_code == 204
        publisher.publish()
    assert published(aws, "InstanceUp") == {1.0}
    assert published(aws, "DatabaseUp") == {1.0}
    assert max(published(aws, "Requests")) >= 2
    assert published(aws, "RequestSeconds")


def published(aws: Aws, metric: str) -> set[float]:
    """Return the values of a metric in CloudWatch, by its maximum."""
    now = datetime.now(UTC)
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Atelier",
        MetricName=metric,
        Dimensions=[{"Name": "Stack", "Value": "atelier"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return {each["Maximum"] for each in found}


def test_a_failed_job_says_so(aws: Aws, host: Host) -> None:
    failing = Host({**importing(host, 7).inputs, "DATABASE_HOST": "localhost:1"})
    assert job.run(failing) == 1
    s3 = aws.client("s3")
    assert s3.get_object(Bucket="files", Key="jobs/import-7.exit")["Body"].read() == b"1"
    log = s3.get_object(Bucket="files", Key="jobs/import-7.log")["Body"].read().decode()
    assert "atelier: " in log


def test_a_service_password_of_another_role_is_not_the_owners(host: Host) -> None:
    settings = service_settings(host)
    assert "atelier_service:service-word@" in settings["ATELIER_DATABASE_URL"]
    assert "sslmode=verify-full" in settings["ATELIER_DATABASE_URL"]
    assert "ATELIER_READ_DATABASE_URL" not in settings
    replicas = Host({**host.inputs, "DATABASE_READ_HOSTS": "one.rds,two.rds"})
    read = service_settings(replicas)["ATELIER_READ_DATABASE_URL"]
    assert "@one.rds:5432,two.rds:5432/atelier?" in read
