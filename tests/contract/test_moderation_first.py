"""ATELIER_MODERATION=pre: posts are hidden until a moderator restores them."""

import pytest

from tests.contract.api import NEW_ANSWER, NEW_QUESTION
from tests.contract.voting import TwoInstances, two_instances

_RESTORE = "SELECT outcome FROM decide('anna', ARRAY[$1], ARRAY[$2::bigint], '{restore}', '{NULL}',"
_RESTORE += " '{fine}', '{NULL}', '{NULL}')"


async def shown(service: TwoInstances, product: int) -> list[dict[str, object]]:
    page = await service.instances[0].simulate_get(f"/qa/questions?product_id={product}")
    return list(page.json["results"])


async def test_new_posts_are_answered_as_created_and_hidden_until_restored(database: str) -> None:
    async with two_instances(database, moderation="pre") as service:
        added = await service.instances[0].simulate_post(
            "/qa/questions", json={**NEW_QUESTION, "product_id": 5}
        )
        assert (added.status_code, added.text) == (201, "Created")
        assert await shown(service, 5) == []
        [(question,)] = await service.rows("SELECT id FROM questions")
        await service.connection.fetch(_RESTORE, "question", question)
        assert len(await shown(service, 5)) == 1
        path = f"/qa/questions/{question}/answers"
        added = await service.instances[1].simulate_post(path, json=NEW_ANSWER)
        assert (added.status_code, added.text) == (201, "Created")
        [found] = await shown(service, 5)
        assert found["answers"] == {}
        [(answer,)] = await service.rows("SELECT id FROM answers")
        states = "SELECT target, target_id, state FROM moderation_states"
        assert await service.rows(states) == [("answer", answer, "held")]
        await service.connection.fetch(_RESTORE, "answer", answer)
        [found] = await shown(service, 5)
        assert list(found["answers"]) == [str(answer)]  # type: ignore[call-overload] # an object
        assert await service.rows(states) == []


@pytest.mark.parametrize("moderation", ["post", "pre"])
async def test_votes_and_reports_are_the_same_with_moderation_first(
    database: str, moderation: str
) -> None:
    async with two_instances(database, moderation=moderation) as service:
        number = await service.question()
        await service.put(f"/qa/questions/{number}/helpful")
        assert await service.helpful(number) == 1
        assert not await service.is_hidden(number)
        await service.put(f"/qa/questions/{number}/report")
        states = await service.rows("SELECT target_id, state FROM moderation_states")
        assert states == [(number, "reported")]


async def test_held_post_under_v1_is_answered_with_the_object(database: str) -> None:
    async with two_instances(database, moderation="pre") as service:
        posted = {name: NEW_QUESTION[name] for name in ("body", "name", "email")}
        added = await service.instances[0].simulate_post("/v1/products/5/questions", json=posted)
        assert added.status_code == 201
        assert added.json["body"] == NEW_QUESTION["body"]
        states = await service.rows("SELECT target_id, state FROM moderation_states")
        assert states == [(added.json["id"], "held")]
