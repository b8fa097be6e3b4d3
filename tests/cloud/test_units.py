"""The units of one host: systemd accepts them, and what they run does what they say."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from atelier.cli import atelier
from atelier.cloud.systemd import units
from atelier.errors import AtelierError
from tests.support.parts import program_or_skip
from tests.transfer.exports import write_export

_ROOT = Path(__file__).parents[2]
_GUIDE = (_ROOT / "docs" / "deploy-hosts.md").read_text()
_RATED = re.compile(r"→ Overall exposure level for (\S+): ([0-9.]+) ")
_PROGRAM = Path(sysconfig.get_path("scripts"), "atelier")


@pytest.fixture
def analyze() -> Callable[..., str]:
    """Return what runs systemd-analyze and returns all it says."""
    program = program_or_skip("systemd-analyze", "systemd")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the command of an installation that is in no home folder."""
    program = tmp_path / "atelier"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr(units, "_HIDDEN", ("/home/nobody",))
    return program


def install(*arguments: str) -> str:
    done = CliRunner().invoke(atelier, ["systemd", "install", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_systemd_accepts_the_units(
    analyze: Callable[..., str], installed: Path, tmp_path: Path
) -> None:
    made = units.units(installed, Path("/bin/true"))
    units.write(made, tmp_path / "units")
    assert analyze("verify", "--man=no", *(tmp_path / "units" / name for name in made)) == ""


def test_the_guide_has_the_exposure_that_systemd_prints(
    analyze: Callable[..., str], installed: Path, tmp_path: Path
) -> None:
    made = [name for name in units.units(installed, installed) if name.endswith(".service")]
    units.write(units.units(installed, Path("/bin/true")), tmp_path / "units")
    said = "".join(
        analyze("security", "--offline=true", "--no-pager", "--threshold=30", folder / name)
        for folder, name in ((tmp_path / "units", name) for name in made)
    )
    rated = dict(_RATED.findall(said))
    assert len(rated) == len(made)
    if analyze("--version").startswith("systemd 252 "):  # others rate differently
        assert [name for name, rate in rated.items() if f"{name}: {rate}" not in _GUIDE] == []


def test_units_run_the_installed_command_and_only_the_nightly_ones_get_the_owners_database(
    installed: Path,
) -> None:
    made = units.units(installed, Path("/usr/bin/nginx"))
    assert not [text for text in made.values() if "/opt/atelier" in text]
    assert f"ExecStart={installed} serve " in made["atelier@.service"]
    assert "ExecStart=/usr/bin/nginx -c" in made["atelier-nginx.service"]
    owners = [name for name, text in made.items() if "EnvironmentFile=/etc/atelier/owner" in text]
    assert owners == ["atelier-backup.service", "atelier-import.service"]
    as_root = [
        name
        for name, text in made.items()
        if name.endswith(".service") and "DynamicUser=yes" not in text
    ]
    assert as_root == ["atelier-nginx.service"]


def test_units_are_written_and_what_to_enable_is_printed(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    told = install("--output", str(folder), "--instances", "2", "--listen", "8080")
    assert {path.name for path in folder.iterdir()} == {*units.units(installed, installed)}
    assert "enable --now atelier@9001 atelier@9002 atelier-nginx\n" in told
    assert "--listen 8080 --server 127.0.0.1:9001 --server 127.0.0.1:9002 >" in told
    script = subprocess.run(["sh", "-n"], input=told, text=True, check=False, capture_output=True)
    assert script.stderr == ""


def test_without_a_folder_the_units_are_printed_alone(installed: Path) -> None:
    done = CliRunner().invoke(atelier, ["systemd", "install"])
    assert "# /etc/systemd/system/atelier-backup.timer\n" in done.stdout
    assert f"ExecStart={installed} serve" in done.stdout
    assert "systemctl enable" not in done.stdout
    assert "systemctl enable --now atelier@9001" in done.stderr


def test_an_installation_that_units_cannot_read_is_refused(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_HIDDEN", (str(installed.parent),))
    with pytest.raises(AtelierError, match="make install PREFIX=/opt/atelier"):
        units.installed_program()


def run_unit(name: str, folder: Path, owner: str) -> None:
    """Run what a unit runs, with the folder that systemd would give it."""
    text = units.units(_PROGRAM, _PROGRAM)[name]
    environment = {
        "PATH": os.environ["PATH"],
        "STATE_DIRECTORY": str(folder),
        "ATELIER_ADMIN_DATABASE_URL": owner,
        "ATELIER_DATABASE_URL": owner,
        "ATELIER_HOME": "/nonexistent",
    }
    for line in re.findall(r"^ExecStart(?:Post)?=(.*)$", text, flags=re.MULTILINE):
        command = line.replace("%%", "%")
        subprocess.run(["sh", "-c", command], env=environment, check=True, capture_output=True)


def test_a_nightly_backup_is_written_and_old_ones_are_removed(
    database: str, tmp_path: Path
) -> None:
    old, kept = tmp_path / "atelier-old.dump", tmp_path / "atelier-new.dump"
    for file in (old, kept):
        file.touch()
    os.utime(old, (0, 0))
    run_unit("atelier-backup.service", tmp_path, database)
    made = {path.name: path for path in tmp_path.iterdir()}
    assert old.name not in made
    assert made.pop(kept.name) == kept
    ((name, backup),) = made.items()
    assert re.fullmatch(r"atelier-\d{4}-\d\d-\d\dT\d{6}\.dump", name)
    assert backup.read_bytes().startswith(b"PGDMP")


def test_a_nightly_import_takes_an_export_once(database: str, tmp_path: Path) -> None:
    condition = re.search(
        r"ConditionPathExistsGlob=/var/lib/atelier-import/(.*)",
        units.units(_PROGRAM, _PROGRAM)["atelier-import.service"],
    )
    assert condition is not None
    write_export(tmp_path)
    assert list(tmp_path.glob(condition[1]))
    run_unit("atelier-import.service", tmp_path, database)
    assert list(tmp_path.glob(condition[1])) == []
    assert len(list((tmp_path / "imported").glob("*.csv"))) == 3
