"""Moderation rules decide about new posts, in all instances from the moment they change."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from falcon.testing import Result

from atelier.store.connections.database import Database, connect
from atelier.store.moderation import rule_files
from atelier.store.moderation.rule_versions import RuleVersions
from atelier.store.moderation.rules import RuleAction
from atelier.store.moderation.trial import Post, Trial
from tests.contract.api import NEW_ANSWER, NEW_QUESTION
from tests.contract.voting import DAY, FakeClock, TwoInstances, two_instances

CASINO = """
[[rule]]
name = "casino"
kind = "words"
action = "{action}"
words = ["casino"]
"""
LINKS = """
[[rule]]
name = "links"
kind = "links"
action = "refuse"
max = 0
message = "please write without links"
"""
REPEATED = """
[[rule]]
name = "twice"
kind = "repeated"
action = "{action}"
within_hours = 24
on = "{on}"
"""
NEW_ADDRESS = """
[[rule]]
name = "strangers"
kind = "new_address"
action = "hold"
within_days = 30
new_for_hours = {hours}
"""
REFUSED = "Error: Question body contains invalid entries"
_TRAIL = "SELECT actor, action, target, target_id, reason, state_before, state_after"
_TRAIL += " FROM moderation_decisions ORDER BY id"
_STATES = "SELECT target, target_id, state FROM moderation_states ORDER BY target_id"


class Rules:
    """Puts rules in force on a database."""

    def __init__(self, versions: RuleVersions) -> None:
        self._versions = versions

    async def __call__(self, *sources: str, **values: object) -> int | None:
        source = "".join(sources).format(**values) if sources else None
        return (await self._versions.change("anna", source)).version


@asynccontextmanager
async def rules_of(database: str) -> AsyncIterator[Rules]:
    pool = Database(database, size=1, timeout=10)
    yield Rules(RuleVersions(pool))
    await pool.close()


@pytest.fixture
async def rules(database: str) -> AsyncIterator[Rules]:
    async with rules_of(database) as found:
        yield found


async def ask(
    service: TwoInstances,
    instance: int,
    body: str,
    product: int = 5,
    **options: Any,  # noqa: ANN401 - those of TwoInstances.send
) -> Result:
    json = {**NEW_QUESTION, "product_id": product, "body": body}
    return await service.send("POST", "/qa/questions", instance=instance, json=json, **options)


async def ask_v1(
    service: TwoInstances,
    instance: int,
    body: str,
    **options: Any,  # noqa: ANN401 - those of TwoInstances.send
) -> Result:
    json = {"body": body, "name": "jane", "email": "jane@example.com"}
    path = "/v1/products/5/questions"
    return await service.send("POST", path, instance=instance, json=json, **options)


async def bodies(service: TwoInstances) -> list[str]:
    page = await service.instances[0].simulate_get("/qa/questions?product_id=5")
    return sorted(each["question_body"] for each in page.json["results"])


async def test_both_instances_know_a_new_version_with_their_next_post(
    database: str, rules: Rules
) -> None:
    async with two_instances(database) as service:
        for instance in (0, 1):
            assert (await ask(service, instance, f"a casino {instance}")).status_code == 201
        assert await rules(CASINO, action="refuse") == 1
        for instance in (0, 1):
            refused = await ask(service, instance, "a casino")
            assert refused.status_code == 422
            assert refused.text == f"{REFUSED}: body: must not contain blocked words"
        assert await rules() is None
        for instance in (0, 1):
            assert (await ask(service, instance, "a casino")).status_code == 201
        assert len(await bodies(service)) == 4


async def test_a_rule_of_a_newer_version_is_left_out_and_logged(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    newer = CASINO.format(action="refuse") + CASINO.replace("casino", "sentiment").replace(
        '"words"', '"mood"'
    ).format(action="hold")
    connection = await connect(database)
    await connection.execute("SELECT change_rules('anna', $1, NULL)", newer)
    await connection.close()
    async with two_instances(database) as service:
        for instance in (0, 1):
            assert (await ask(service, instance, f"hello {instance}")).status_code == 201
            assert (await ask(service, instance, "a casino")).status_code == 422
        assert await bodies(service) == ["hello 0", "hello 1"]
    messages = [each.message for each in caplog.records if "is not applied" in each.message]
    assert len(messages) == 2
    assert all('version 1 is not applied: line 8, rule "sentiment": kind' in m for m in messages)


async def test_held_post_is_answered_as_created_and_its_decision_names_rule_and_version(
    database: str, rules: Rules
) -> None:
    async with two_instances(database) as service:
        await rules(LINKS)
        assert await rules(CASINO, action="hold") == 2
        question = await service.question()
        added = await ask(service, 0, "A ca\u0455in0?")
        assert (added.status_code, added.text) == (201, "Created")
        path = f"/v1/questions/{question}/answers"
        json = {**NEW_ANSWER, "body": "In a Casino."}
        answered = await service.send("POST", path, instance=1, json=json)
        assert (answered.status_code, answered.json["status"]) == (201, "held")
        assert await bodies(service) == []
        held = [("question", question + 1), ("answer", answered.json["id"])]
        assert await service.rows(_TRAIL) == [
            ("rule casino v2", "hold", *post, "words", "visible", "held") for post in held
        ]
        states = await service.rows(_STATES)
        assert sorted(states) == sorted((*post, "held") for post in held)


async def test_undoing_the_hold_of_a_rule_publishes_the_post(database: str, rules: Rules) -> None:
    async with two_instances(database) as service:
        await rules(CASINO, action="hold")
        await ask(service, 0, "A casino")
        query = "SELECT outcome FROM undo_decision('anna', 1, 'fine', NULL)"
        assert await service.rows(query) == [("DONE",)]
        assert await bodies(service) == ["A casino"]


async def test_refused_post_leaves_no_trace_and_may_be_corrected_with_the_same_key(
    database: str, rules: Rules
) -> None:
    async with two_instances(database, posts_per_day=2, spam_repeat_minutes=5) as service:
        await rules(LINKS)
        key = {"Idempotency-Key": "one"}
        for instance in (0, 1, 0):
            refused = await ask_v1(service, instance, "see https://a.example", headers=key)
            assert refused.status_code == 422
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json["detail"] == "body: please write without links"
            assert (refused.json["field"], refused.json["rule"]) == ("body", "links v1")
        added = await ask_v1(service, 1, "see the leaflet", headers=key)
        assert added.status_code == 201
        await rules()
        assert (await ask_v1(service, 0, "see https://a.example")).status_code == 201
        counts = await service.rows("SELECT version, rule, posts FROM rule_counts")
        assert counts == [(1, "links", 3)]
        for table in ("moderation_decisions", "moderation_states", "posted_texts"):
            assert await service.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608 - fixed names


async def test_repeated_request_is_answered_as_before_whatever_the_rules_say_now(
    database: str, rules: Rules
) -> None:
    async with two_instances(database) as service:
        key = {"Idempotency-Key": "one"}
        first = await ask_v1(service, 0, "see https://a.example", headers=key)
        await rules(LINKS)
        again = await ask_v1(service, 1, "see https://a.example", headers=key)
        assert again.status_code == 201
        assert again.json == first.json
        assert again.headers["Link"] == first.headers["Link"]
        assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("on", "elsewhere"), [("product", "published"), ("shop", "held")])
async def test_repeated_text_is_held_on_its_product_or_in_the_whole_shop(
    database: str, rules: Rules, on: str, elsewhere: str
) -> None:
    async with two_instances(database) as service:
        await rules(REPEATED, action="hold", on=on)
        statuses = [
            (await ask_v1(service, instance, body)).json["status"]
            for instance, body in ((0, "Buy now"), (1, "BUY  now"), (0, "Buy later"))
        ]
        assert statuses == ["published", "held", "published"]
        await ask(service, 1, "buy NOW", product=6)
        states = await service.rows("SELECT product_id FROM moderation_states ORDER BY 1")
        assert (6,) in states if elsewhere == "held" else states == [(5,)]


async def test_address_is_new_until_its_first_post_is_old_enough(
    database: str, rules: Rules
) -> None:
    clock = FakeClock()
    async with two_instances(database, clock) as service:
        await rules(NEW_ADDRESS, hours=24)

        async def status(number: int, address: str) -> str:
            added = await ask_v1(service, number % 2, f"Question {number}", address=address)
            return str(added.json["status"])

        async def age(hours: int) -> None:
            await service.connection.execute(
                "UPDATE posting_clients SET first_at = first_at - $1 * interval '1 hour',"
                " last_at = last_at - $1 * interval '1 hour'",
                hours,
            )

        assert [await status(n, "192.0.2.1") for n in range(3)] == ["held"] * 3
        await age(25)
        assert await status(3, "192.0.2.1") == "published"
        assert await status(4, "192.0.2.2") == "held"
        clock.now += 85 * DAY  # the next key
        assert await status(5, "192.0.2.1") == "published"
        await age(31 * 24)
        assert await status(6, "192.0.2.1") == "held"
        stored = await service.rows("SELECT client FROM posting_clients")
        assert {len(row[0]) for row in stored} == {16}


async def test_the_first_rule_that_refuses_outranks_those_that_hold(
    database: str, rules: Rules
) -> None:
    async with two_instances(database) as service:
        await rules(CASINO, NEW_ADDRESS, LINKS, action="hold", hours=1)
        refused = await ask(service, 0, "casino http://a.example")
        assert refused.status_code == 422
        await ask(service, 1, "casino")
        actors = await service.rows("SELECT actor FROM moderation_decisions")
        assert actors == [("rule casino v1",)]


async def test_rules_apply_where_they_say(database: str, rules: Rules) -> None:
    async with two_instances(database) as service:
        await rules(LINKS, 'applies_to = ["answers"]\n')
        assert (await ask(service, 0, "see http://a.example")).status_code == 201
        [(question,)] = await service.rows("SELECT id FROM questions")
        path = f"/qa/questions/{question}/answers"
        json = {**NEW_ANSWER, "name": "www.example.com"}
        refused = await service.send("POST", path, json=json)
        assert (refused.status_code, refused.text) == (
            422,
            "Error: Answer body contains invalid entries: name: please write without links",
        )


async def test_posts_are_written_with_one_statement_while_no_rules_are_in_force(
    database: str, rules: Rules
) -> None:
    async with two_instances(database) as service:
        await rules(CASINO, action="hold")
        await rules()
        await ask(service, 0, "first")  # the instance reads the rules, and the secret
        calls: list[str] = []
        original = Database._fetch  # noqa: SLF001 - where all statements pass

        async def counted(
            self: Database, query: str, args: tuple[object, ...], deadline: float
        ) -> object:
            calls.append(query)
            return await original(self, query, args, deadline)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Database, "_fetch", counted)
            assert (await ask(service, 0, "second")).status_code == 201
        assert len(calls) == 1


async def test_of_concurrent_copies_of_a_text_one_is_published(database: str, rules: Rules) -> None:
    async with two_instances(database) as service:
        await rules(REPEATED, action="hold", on="shop")
        posts = (ask(service, n % 2, "Buy now", product=n + 1) for n in range(12))
        assert {each.status_code for each in await asyncio.gather(*posts)} == {201}
        assert await service.rows("SELECT count(*) FROM moderation_states") == [(11,)]


_TEXTS = (
    *("Buy now", "buy  NOW", "a casino", "C\u0430sino!", "no ca-sino", "www.a.example"),
    *("http://a.example, http://b.example", "fine", "Fine", "casino: www.a.example"),
)
_SETS = (
    (CASINO.format(action="refuse"), LINKS, REPEATED.format(action="hold", on="product")),
    (REPEATED.format(action="refuse", on="shop"), CASINO.format(action="hold")),
    (CASINO.format(action="hold"), LINKS, REPEATED.format(action="refuse", on="product")),
    (REPEATED.format(action="hold", on="shop"), LINKS + 'applies_to = ["questions"]\n'),
)


_STATUSES = {None: "published", RuleAction.HOLD: "held", RuleAction.REFUSE: 422}


@pytest.mark.parametrize("sources", _SETS)
@pytest.mark.parametrize("seed", range(2))
async def test_a_trial_predicts_what_the_rules_then_do(
    database: str, rules: Rules, sources: tuple[str, ...], seed: int
) -> None:
    chosen = random.Random(seed)
    async with two_instances(database) as service:
        questions = {product: await service.question() for product in (1, 2)}
        await rules(*sources)
        trial = Trial(rule_files.parse("".join(sources)), datetime.now(UTC), examples=0)
        predicted, happened = [], []
        for number in range(40):
            product, text = chosen.choice((1, 2)), chosen.choice(_TEXTS)
            target = chosen.choice(("question", "answer"))
            json = {**NEW_ANSWER, "body": text, "name": chosen.choice(("jane", "www.jane.example"))}
            path = f"/v1/products/{product}/questions"
            if target == "answer":
                path = f"/v1/questions/{questions[product]}/answers"
            posted = await service.send("POST", path, instance=number % 2, json=json)
            happened.append(posted.json["status"])
            post = Post(target, number, product, text, str(json["name"]), datetime.now(UTC))
            rule = trial.judge(post)
            predicted.append(_STATUSES[rule.action if rule else None])
        assert predicted == happened
        assert len(set(happened)) > 1
        held = await service.rows("SELECT count(*) FROM moderation_decisions")
        assert held == [(trial.report.held,)]
