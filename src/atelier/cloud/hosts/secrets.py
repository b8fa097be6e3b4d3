"""Reads the secrets of the instances from Secrets Manager."""

import json
import os
from pathlib import Path
from urllib.parse import quote

from atelier.cloud.hosts.host import Host
from atelier.local.postgres.roles import SERVICE_ROLE

_FILE = Path("/run/atelier/secrets.env")  # in memory: no image of the host has it
_CERTIFICATES = "/etc/atelier/database-ca.pem"


def run(host: Host) -> int:
    """Write the settings that are secret for systemd to read."""
    settings = service_settings(host)
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    temporary = _FILE.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(_FILE)
    return 0


def service_settings(host: Host) -> dict[str, str]:
    """Return the secret settings of the instances."""
    password = secret(host, "PASSWORD_SECRET")
    settings = {
        "ATELIER_DATABASE_URL": url(host, host.inputs["DATABASE_HOST"], SERVICE_ROLE, password),
        "ATELIER_SECRET": secret(host, "SERVICE_SECRET"),
    }
    replicas = [each for each in host.inputs.get("DATABASE_READ_HOSTS", "").split(",") if each]
    if replicas:
        hosts = ",".join(f"{each}:5432" for each in replicas)
        settings["ATELIER_READ_DATABASE_URL"] = url(host, hosts, SERVICE_ROLE, password)
    return settings


def owner(host: Host) -> tuple[str, str]:
    """Return the user and the password of the owner of the tables, which RDS rotates."""
    found = json.loads(secret(host, "ADMIN_SECRET"))
    return found["username"], found["password"]


def secret(host: Host, name: str) -> str:
    """Return the value of the secret whose ARN is an input."""
    found = host.client("secretsmanager").get_secret_value(SecretId=host.inputs[name])
    value: str = found["SecretString"]
    return value


def url(host: Host, hosts: str, user: str, password: str) -> str:
    """Return the URL of the database, with TLS that is verified where certificates are given."""
    certificates = host.inputs.get("DATABASE_CA_FILE", _CERTIFICATES)
    query = (
        f"sslmode=verify-full&sslrootcert={quote(certificates, safe='/')}"
        if host.inputs.get("DATABASE_CA_URL")
        else "sslmode=require"
    )
    name = host.inputs["DATABASE_NAME"]
    return f"postgresql://{user}:{quote(password, safe='')}@{hosts}/{name}?{query}"
