"""The units of systemd for the service on one host, with the programs that are installed there."""

import shutil
import sysconfig
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.programs import system_nginx

FOLDER = files(__package__) / "units"
"""All units; those that are named after AWS are for its hosts only (deploy/aws/boot.sh)."""
_FIRST_PORT = 9001
_AWS = "atelier-aws-"
_PROGRAM, _NGINX = "/opt/atelier/current/venv/bin/atelier", "/usr/sbin/nginx"
_HIDDEN = ("/home", "/root", "/run/user")
"""What ProtectHome= hides from the units."""


def units(program: Path, nginx: Path) -> dict[str, str]:
    """Return the units of one host by name, which run these programs."""
    return {
        unit.name: unit.read_text().replace(_PROGRAM, str(program)).replace(_NGINX, str(nginx))
        for unit in sorted(FOLDER.iterdir(), key=lambda unit: unit.name)
        if not unit.name.startswith(_AWS)
    }


def installed_program() -> Path:
    """Return the path of the installed command. Raises AtelierError if units cannot run it."""
    beside = shutil.which("atelier", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("atelier")
    if found is None:
        raise AtelierError("The command atelier is not installed: install the package.")
    program = Path(found).absolute()
    if any(program.resolve().is_relative_to(hidden) for hidden in _HIDDEN):
        raise AtelierError(
            f"{program} is in a home folder, which the units cannot read: install the package "
            "elsewhere, such as with `make install PREFIX=/opt/atelier`."
        )
    return program


def installed_nginx() -> Path:
    """Return the path of the system's nginx; where it usually is, if it is not installed yet."""
    return system_nginx() or Path(_NGINX)


def write(made: Mapping[str, str], folder: Path) -> None:
    """Write units into a folder, over those that it has. Raises AtelierError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise AtelierError(f"Cannot write the units to {folder}: {error.strerror}.") from error


def ports(instances: int) -> range:
    """Return the ports of the instances, which are the names of their units."""
    return range(_FIRST_PORT, _FIRST_PORT + instances)


def steps(program: Path, folder: Path, instances: int, listen: str) -> str:
    """Return what to do with units that are in a folder, as commands for root."""
    servers = " ".join(f"--server 127.0.0.1:{port}" for port in ports(instances))
    started = " ".join(f"atelier@{port}" for port in ports(instances))
    return _STEPS.format(
        program=program, folder=folder, servers=servers, started=started, listen=listen
    )


_STEPS = """\
# 1. The settings, as lines of NAME='VALUE': all but secrets in service.env, ATELIER_DATABASE_URL
#    and ATELIER_SECRET in secrets.env, ATELIER_ADMIN_DATABASE_URL (nightly work) in owner.env.
mkdir -p /etc/atelier /var/lib/atelier-import
(umask 077; cd /etc/atelier; touch service.env secrets.env owner.env)
# 2. nginx, which replaces the distribution's service:
mkdir -p /var/lib/nginx /var/log/nginx
set -a; . /etc/atelier/service.env; set +a
{program} nginx-config --listen {listen} {servers} > /etc/atelier/nginx.conf
systemctl disable --now nginx
# 3. The database:
set -a; . /etc/atelier/owner.env; . /etc/atelier/secrets.env; set +a
{program} migrate
{program} db roles --apply
# 4. The service, and what is done every night:
systemctl daemon-reload  # the units are in {folder}
systemctl enable --now {started} atelier-nginx
systemctl enable --now atelier-backup.timer atelier-import.timer
"""
