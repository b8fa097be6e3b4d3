"""deploy/container/compose.yaml agrees with its secrets, with the image and with the command."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from atelier.cli import atelier
from atelier.settings import Settings

_FOLDER = Path(__file__).parents[2] / "deploy" / "container"
_COMPOSE: dict[str, Any] = yaml.safe_load((_FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = _COMPOSE["services"]
_OURS = {name: each for name, each in SERVICES.items() if each["image"] == "atelier"}


@pytest.fixture
def created(tmp_path: Path) -> Path:
    """Return the folder of secrets that the script creates."""
    shutil.copy(_FOLDER / "secrets.sh", tmp_path)
    subprocess.run([tmp_path / "secrets.sh"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_every_secret_is_created_and_every_mounted_one_is_declared(created: Path) -> None:
    files = {name: created / Path(each["file"]).name for name, each in _COMPOSE["secrets"].items()}
    assert {path.name for path in created.iterdir()} == {path.name for path in files.values()}
    assert created.stat().st_mode & 0o077 == 0
    for service in SERVICES.values():
        named = {Path(each).name for key, each in variables(service) if key.endswith("_FILE")}
        assert named <= {*service.get("secrets", ())} <= {*_COMPOSE["secrets"]}


def test_urls_contain_the_passwords_of_both_roles(created: Path) -> None:
    environment = {
        "ATELIER_DATABASE_URL_FILE": str(created / "service-url"),
        "ATELIER_ADMIN_DATABASE_URL_FILE": str(created / "owner-url"),
    }
    settings = Settings.from_environment(environment)
    for url, role, name in (
        (settings.database_url, "atelier_service", "service-password"),
        (settings.admin_database_url, "atelier_owner", "owner-password"),
    ):
        password = (created / name).read_text()
        assert str(url) == f"postgresql://{role}:{password}@postgres/atelier"
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "atelier_owner"


def test_existing_secrets_are_kept(created: Path) -> None:
    before = {path.name: path.read_text() for path in created.iterdir()}
    done = subprocess.run([created.parent / "secrets.sh"], check=True, capture_output=True)
    assert b"exists and is kept" in done.stderr
    assert {path.name: path.read_text() for path in created.iterdir()} == before


@pytest.mark.parametrize("name", [name for name, each in _OURS.items() if "command" in each])
def test_commands_of_the_services_exist_with_their_options(name: str) -> None:
    service = _OURS[name]
    for line in _command_lines(service):
        done = CliRunner().invoke(atelier, [*line, "--help"])
        assert done.exit_code == 0, done.output
        for option in (each for each in line if each.startswith("--")):
            assert option in done.output


@pytest.mark.parametrize("name", _OURS)
def test_containers_can_write_nothing_but_temporary_files(name: str) -> None:
    service = _OURS[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("volumes")


def test_instances_cannot_use_the_owners_role() -> None:
    assert SERVICES["instance"]["secrets"] == ["service_url"]
    assert "secrets" not in SERVICES["nginx"]


def variables(service: dict[str, Any]) -> list[tuple[str, str]]:
    return list(service.get("environment", {}).items())


def _command_lines(service: dict[str, Any]) -> list[list[str]]:
    if "entrypoint" not in service:
        return [service["command"]]
    lines = [line.split() for line in service["command"][0].splitlines()]
    assert all(line[0] == "atelier" for line in lines)
    return [line[1:] for line in lines]
