"""Keeps nginx's configuration equal to the instances that are in service."""

import os
import subprocess
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from atelier.cloud.hosts.host import Host
from atelier.errors import AtelierError
from atelier.local.host.programs import system_nginx
from atelier.local.nginx.nginx import Front, host_configuration, version
from atelier.settings import Settings

_POLL_SECONDS = 5.0
_CONFIGURATION = Path("/etc/atelier/nginx.conf")
_UNIT = "atelier-nginx.service"
_FIRST_PORT = 9001


def run(host: Host) -> int:
    """Follow the group until the host ends."""
    while True:
        try:
            update(host, _CONFIGURATION, ["systemctl", "reload-or-restart", _UNIT])
        except (BotoCoreError, ClientError, AtelierError) as error:
            print(f"the instances are unchanged: {error}", flush=True)  # noqa: T201 - the journal
        time.sleep(_POLL_SECONDS)


def update(host: Host, configuration: Path, reload: list[str]) -> bool:
    """Write the configuration for the instances in service and reload nginx, if it changed.

    A leaving instance is no longer in service, but serves until DRAIN_SECONDS later, so no request
    meets a closed port. Without any instance in service, the last configuration is kept. Returns
    whether nginx was reloaded. Raises AtelierError if it cannot be.
    """
    servers = in_service(host)
    if not servers:
        return False
    front = Front(host.inputs.get("LISTEN", "80"), servers)
    program = system_nginx()
    release = version(program) if program else ()
    text = host_configuration(front, Settings.from_environment(), release)
    if configuration.exists() and configuration.read_text() == text:
        return False
    temporary = configuration.with_suffix(".new")
    temporary.write_text(text)
    temporary.rename(configuration)
    done = subprocess.run(reload, check=False, capture_output=True, text=True)
    if done.returncode:
        configuration.unlink()  # tried again
        raise AtelierError(f"nginx cannot be reloaded: {done.stderr.strip()}")
    print(f"nginx serves from {', '.join(servers)}", flush=True)  # noqa: T201 - the journal
    return True


def in_service(host: Host) -> list[str]:
    """Return HOST:PORT of every process of the instances that are in service, sorted."""
    found = host.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[host.inputs["GROUP"]]
    )["AutoScalingGroups"]
    ids = [
        each["InstanceId"]
        for group in found
        for each in group["Instances"]
        if each["LifecycleState"] == "InService" and each["HealthStatus"] == "Healthy"
    ]
    if not ids:
        return []
    described = host.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    instances = [each for reservation in described for each in reservation["Instances"]]
    return sorted(
        f"{each['PrivateIpAddress']}:{_FIRST_PORT + process}"
        for each in instances
        for process in range(_processes(each))
    )


def _processes(instance: dict[str, dict[str, int]]) -> int:
    """Return the number of processes of an instance: one per vCPU, as boot.sh starts them."""
    options = instance.get("CpuOptions") or {}
    return int(os.environ.get("PROCESSES") or 0) or (
        options.get("CoreCount", 1) * options.get("ThreadsPerCore", 1)
    )
