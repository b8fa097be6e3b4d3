"""A client of the running service, and test data."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest

from atelier.store import tokens
from atelier.store.connections.database import connect
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data, new_product_id

_DOCUMENTED = """
    INSERT INTO questions (id, product_id, body, asker_name, asker_email)
    VALUES (37, 5, 'Why?', 'williamsmith', 'first.last@gmail.com')
    ON CONFLICT (id) DO UPDATE SET reported = false, body = 'Why?', product_id = 5;
    INSERT INTO answers (id, question_id, body, answerer_name, answerer_email)
    VALUES (68, 37, 'Because.', 'Seller', 'first.last@gmail.com')
    ON CONFLICT (id) DO UPDATE SET reported = false, body = 'Because.', question_id = 37;
    DELETE FROM answers WHERE question_id = 37 AND id <> 68;
    DELETE FROM questions WHERE product_id = 5 AND id <> 37;
    SELECT setval(pg_get_serial_sequence('questions', 'id'), max(id)) FROM questions;
    SELECT setval(pg_get_serial_sequence('answers', 'id'), max(id)) FROM answers;
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    VALUES (4, 'Which size?', 'williamsmith', 'first.last@gmail.com');  -- waits for an answer
    SET session_replication_role = replica;
    DELETE FROM moderation_states WHERE target_id IN (37, 68);
    DELETE FROM moderation_decisions WHERE target = 'question' AND target_id = 37 OR id = 17;
    INSERT INTO moderation_decisions (
        id, actor, action, target, target_id, question_id, product_id, reason,
        state_before, state_after, reports, edits_text)
    VALUES (17, 'anna', 'hold', 'question', 37, 37, 5, 'unclear', 'visible', 'held', 0, false);
    RESET session_replication_role;
    SELECT setval(pg_get_serial_sequence('moderation_decisions', 'id'), max(id))
    FROM moderation_decisions;
    DELETE FROM webhooks;
    INSERT INTO webhooks (id, url, events, created_by, position, change_id)
    OVERRIDING SYSTEM VALUE VALUES (3, 'https://localhost', '{asked}', 'anna', 0, 0);
    UPDATE webhooks SET (position, change_id) = (
        SELECT coalesce(max(position), 0), coalesce(max(id), 0)
        FROM changes WHERE position IS NOT NULL);
    INSERT INTO webhook_deliveries (
        id, webhook_id, position, kind, target, target_id, question_id, state, finished_at)
    OVERRIDING SYSTEM VALUE
    VALUES (42, 3, 1, 'asked', 'question', 37, 37, 'failed', now());
    SELECT setval(pg_get_serial_sequence('webhooks', 'id'), 3);
    SELECT setval(pg_get_serial_sequence('webhook_deliveries', 'id'), max(id))
    FROM webhook_deliveries;
"""


@dataclass(frozen=True)
class Shop:
    """A product with one question and one answer, used by one test only."""

    product_id: int
    question_id: int
    answer_id: int


@pytest.fixture(scope="session")
async def client(service: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.base_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def demo_service(service: Cluster) -> Iterator[Cluster]:
    """Return an instance with the demo shop, on the same database."""
    with cluster(service.database, instances=1, ATELIER_DEMO="on") as running:
        yield running


@pytest.fixture(scope="session")
async def data(service: Cluster) -> AsyncIterator[Data]:
    connection = await connect(service.database)
    yield Data(connection)
    await connection.close()


@pytest.fixture(scope="session")
async def token(data: Data) -> str:
    """Return a token of the highest scope that does not expire."""
    created = await tokens.create(data.connection, "operator", tokens.Scope.OPERATE)
    assert created
    return created


@pytest.fixture
async def documented(data: Data) -> AsyncIterator[None]:
    """Insert the question, the answer, the decision and the webhook of the examples.

    They are the only ones of their product; what earlier tests added or decided is forgotten. At
    the end there are no webhooks, so that other tests send nothing.
    """
    await data.connection.execute(_DOCUMENTED)
    yield
    await data.connection.execute("DELETE FROM webhooks")


@pytest.fixture
async def shop(data: Data) -> Shop:
    product_id = new_product_id()
    question_id = await data.question(product_id)
    return Shop(product_id, question_id, await data.answer(question_id))


@pytest.fixture(params=["Question", "Answer"])
def what(request: pytest.FixtureRequest) -> str:
    """Return the kind of the post, as in the error text."""
    return str(request.param)
