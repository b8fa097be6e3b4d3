"""`atelier db backup` and `restore`: everything is there again, with its privileges."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import left_behind, run
from tests.support.postgres import temporary_folder

_STATE = """
    SELECT 'questions', count(*), sum(helpful) FROM atelier.questions
    UNION ALL SELECT 'documents', count(*), sum(length(document::text))
        FROM atelier.question_documents
    UNION ALL SELECT 'tokens', count(*), NULL FROM atelier.tokens
    UNION ALL SELECT 'migrations', count(*), NULL FROM public._pogo_migration
    UNION ALL SELECT 'grants', count(*), NULL FROM information_schema.role_table_grants
        WHERE grantee = 'atelier_service'
    UNION ALL SELECT 'functions for all', count(*), NULL FROM pg_proc
        WHERE pronamespace = 'atelier'::regnamespace
            AND has_function_privilege('atelier_service', oid, 'EXECUTE')
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Path]:
    """Return a home with rows and a token, whose database is running."""
    home = folder / "home"
    for command in (
        ("db", "start"),
        ("migrate",),
        ("generate", str(folder / "export"), "--products", "50"),
        ("import", "--yes", str(folder / "export")),
        ("token", "create", "--scope", "read", "reader"),
    ):
        done = run(home, *command)
        assert done.returncode == 0, done.stderr
    yield home
    run(home, "db", "stop")


def state(home: Path) -> str:
    done = run(home, "db", "psql", "-Atc", _STATE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restored_database_is_the_same(home: Path, folder: Path) -> None:
    file, other = folder / "atelier.dump", folder / "other"
    done = run(home, "db", "backup", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    done = run(other, "db", "restore", str(file))
    assert done.returncode == 0, done.stderr
    assert state(other) == state(home)
    verified = run(other, "verify", str(folder / "export"))
    assert verified.returncode == 0, verified.stdout
    assert left_behind(other) == []


def test_nothing_is_restored_over_data(home: Path, folder: Path) -> None:
    file = folder / "second.dump"
    run(home, "db", "backup", str(file))
    before = state(home)
    refused = run(home, "db", "restore", str(file))
    assert (refused.returncode, "restore into an empty database" in refused.stderr) == (1, True)
    assert state(home) == before


def test_an_existing_file_is_not_overwritten(home: Path, folder: Path) -> None:
    file = folder / "kept.dump"
    file.write_text("mine")
    refused = run(home, "db", "backup", str(file))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert file.read_text() == "mine"


def test_a_failed_backup_leaves_no_file(home: Path, folder: Path) -> None:
    refused = run(home, "db", "backup", str(folder / "missing" / "file.dump"))
    assert refused.returncode == 1
    assert "No such file or directory" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_half_a_file_restores_nothing(home: Path, folder: Path) -> None:
    whole, half, other = folder / "whole.dump", folder / "half.dump", folder / "halved"
    run(home, "db", "backup", str(whole))
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refused = run(other, "db", "restore", str(half))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "pg_restore failed" in refused.stderr
    shown = run(other, "db", "psql", "-Atc", "SELECT to_regnamespace('atelier') IS NULL")
    assert shown.stdout.strip() == "t"
