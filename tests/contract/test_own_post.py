"""Status links: authors see their own posts, whatever became of them."""

import httpx
import pytest

from tests.contract.api import NEW_QUESTION
from tests.contract.conftest import Shop
from tests.contract.posts import post
from tests.contract.test_rules import ask_v1
from tests.contract.voting import SECRET, TwoInstances, two_instances
from tests.support.data import Data

_DECIDE = "SELECT outcome FROM decide('anna', ARRAY[$1], ARRAY[$2::bigint], ARRAY[$3], '{NULL}',"
_DECIDE += " '{spam}', '{NULL}', '{NULL}')"


def link(response: httpx.Response) -> str:
    """Return the address of the post's status."""
    return response.links["status"]["url"]


async def test_status_follows_what_moderators_decide(database: str) -> None:
    async with two_instances(database, moderation="pre") as service:
        added = (await ask_v1(service, 0, "Is it waterproof?")).json
        assert added["status"] == "held"
        number, url = added["id"], added["status_url"]

        async def shown(action: str | None = None) -> tuple[object, ...]:
            if action:
                await service.connection.fetch(_DECIDE, "question", number, action)
            own = await service.instances[1].simulate_get(url)
            assert own.headers["Cache-Control"] == "no-store"
            assert "@" not in own.text
            assert own.json["object"]["body"] == "Is it waterproof?"
            assert (own.json["since"] is None) is (own.json["status"] == "published")
            return own.json["status"], own.json["reason"], own.json["is_automatic"]

        assert await shown() == ("held", None, False)
        assert await shown("restore") == ("published", None, False)
        assert await shown("remove") == ("removed", "spam", False)
        assert (
            await service.instances[0].simulate_get(f"/v1/questions/{number}")
        ).status_code == 404
        await service.connection.execute("DELETE FROM questions")
        gone = await service.instances[0].simulate_get(url)
        assert gone.status_code == 410


async def test_an_answer_is_hidden_with_its_question(database: str) -> None:
    async with two_instances(database) as service:
        question = await service.question()
        json = {"body": "No", "name": "jane", "email": "jane@example.com"}
        path = f"/v1/questions/{question}/answers"
        url = (await service.send("POST", path, json=json)).json["status_url"]
        assert await status(service, url) == "published"
        await service.put(f"/qa/questions/{question}/report")
        assert await status(service, url) == "held"
        await service.connection.fetch(_DECIDE, "question", question, "remove")
        assert await status(service, url) == "removed"


async def status(service: TwoInstances, url: str) -> str:
    return str((await service.instances[0].simulate_get(url)).json["status"])


async def test_a_post_under_qa_is_answered_as_ever_with_a_link(
    client: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    added = await post(client, shop, what)
    assert (added.status_code, added.text) == (201, "Created")
    own = (await client.get(link(added))).json()
    assert (own["target"], own["status"]) == (what.lower(), "published")
    assert "Link" in added.headers["access-control-expose-headers"]


async def test_a_forged_or_foreign_link_shows_nothing(
    client: httpx.AsyncClient, shop: Shop, data: Data
) -> None:
    path = link(await post(client, shop, "Question"))
    token = path.removeprefix("/v1/posts/")
    other = await data.question(shop.product_id)
    number, signature = token[1:].split(".")
    for forged in (
        *(f"q{other}.{signature}", f"a{number}.{signature}", f"q0{number}.{signature}"),
        *(token[:-1], f"{token}A", token.swapcase(), f"q{number}", "q1.", "x", f"q{10**19}"),
    ):
        assert (await client.get(f"/v1/posts/{forged}")).status_code == 404
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("secret", [SECRET, None])
async def test_every_instance_and_every_repeat_gives_the_same_link(
    database: str, secret: str | None
) -> None:
    key = {"Idempotency-Key": "one"}
    async with two_instances(database, secret=secret) as service:
        links = [
            (
                await service.send(
                    "POST", "/qa/questions", instance=n, json=NEW_QUESTION, headers=key
                )
            ).headers["Link"]
            for n in (0, 1, 0)
        ]
    async with two_instances(database, secret=secret) as service:  # after a restart
        [(number,)] = await service.rows("SELECT id FROM questions")
        assert len(set(links)) == 1
        own = await service.instances[0].simulate_get(links[0].partition(";")[0].strip("<>"))
        assert own.json["object"]["id"] == number
