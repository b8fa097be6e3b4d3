"""The sample loads into every supported PostgreSQL, with correct documents."""

from pathlib import Path

from rich.console import Console

from atelier.local.host.home import Home
from atelier.local.supervisor.sample import load_sample, needs_sample
from atelier.store.connections.database import connect
from atelier.transfer.progress import progress_for
from tests.support.postgres import every_postgres

_DIFFERENCES = """
    SELECT count(*)
    FROM question_documents AS kept
    FULL JOIN question_document_view AS defined USING (question_id)
    WHERE kept.document IS DISTINCT FROM defined.document
"""


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@every_postgres
async def test_the_sample_fills_an_empty_database_and_leaves_no_file(
    database: str, tmp_path: Path
) -> None:
    home = Home.open(tmp_path)
    before = files(tmp_path)
    assert await needs_sample(database)
    await load_sample(database, home, progress_for(Console(quiet=True)))
    assert not await needs_sample(database)
    connection = await connect(database)
    assert await connection.fetchval("SELECT count(*) FROM question_documents") > 3000
    assert await connection.fetchval(_DIFFERENCES) == 0
    await connection.close()
    assert files(tmp_path) == before
