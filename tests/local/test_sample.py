"""The sample loads into every supported PostgreSQL, with correct documents."""

from pathlib import Path

from rich.console import Console

from atelier.local.host.home import Home
from atelier.local.supervisor.sample import load_sample, move_photos, needs_sample
from atelier.store.connections.database import connect
from atelier.transfer.progress import progress_for
from tests.support.postgres import every_postgres

_DIFFERENCES = """
    SELECT count(*)
    FROM question_documents AS kept
    FULL JOIN question_document_view AS defined USING (question_id)
    WHERE kept.document IS DISTINCT FROM defined.document
"""
_ANSWERED = """
    INSERT INTO questions (id, product_id, body, asker_name, asker_email)
    VALUES (1, 1, 'Why?', 'jack', 'x');
    INSERT INTO answers (id, question_id, body, answerer_name, answerer_email)
    VALUES (1, 1, 'So.', 'jill', 'x')
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


@every_postgres
async def test_the_photos_of_the_sample_follow_the_shop_to_another_port(database: str) -> None:
    connection = await connect(database)
    try:
        await connection.execute(_ANSWERED)
        for url in (
            "http://127.0.0.1:8080/demo/photos/1/1-front.jpg",
            "https://shop.example/http://127.0.0.1:8080/demo/photos/1.jpg",
            "http://127.0.0.1:8080/demo/photos/1/2-label.jpg",
        ):
            await connection.execute("INSERT INTO photos (answer_id, url) VALUES (1, $1)", url)
        for port in (8080, 8097):
            await move_photos(database, f"http://127.0.0.1:{port}/demo/photos")
            urls = [row["url"] for row in await connection.fetch("TABLE photos ORDER BY id")]
            assert urls == [
                f"http://127.0.0.1:{port}/demo/photos/1/1-front.jpg",
                "https://shop.example/http://127.0.0.1:8080/demo/photos/1.jpg",
                f"http://127.0.0.1:{port}/demo/photos/1/2-label.jpg",
            ]
            assert await connection.fetchval(_DIFFERENCES) == 0
    finally:
        await connection.close()
