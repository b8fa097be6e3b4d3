"""Moderators' queue, decisions, undo and the audit trail."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from atelier.store.moderation.decisions import Action, Decision, Filter, Outcome
from atelier.store.moderation.queue import NewestPosition, Position, State
from tests.store.moderators import Moderator, moderator
from tests.transfer.exports import assert_documents_are_current, load, write_export

TARGETS = ["question", "answer"]


@pytest.fixture
async def anna(database: str) -> AsyncIterator[Moderator]:
    async with moderator(database) as someone:
        yield someone


@pytest.fixture(autouse=True)
async def _other(anna: Moderator) -> None:
    """Add a question that no test decides about."""
    await anna.data.question(77)


async def post(anna: Moderator, target: str, *, product: int = 1, reported: bool = False) -> int:
    if target == "question":
        return await anna.data.question(product, reported=reported)
    return await anna.data.answer(await anna.data.question(product), reported=reported)


@pytest.mark.parametrize("target", TARGETS)
async def test_decision_changes_what_shoppers_see_and_is_recorded(
    anna: Moderator, database: str, target: str
) -> None:
    number = await post(anna, target)
    for action, hidden, state in [
        ("remove", True, "removed"),
        ("hold", True, "held"),
        ("restore", False, "visible"),
    ]:
        version = (await anna.item(target, number))["version"]
        result = await anna.decide(action, target, number, version=version)
        assert result.outcome is Outcome.DONE
        assert await anna.is_hidden(target, number) is hidden
        assert (await anna.item(target, number))["state"] == state
        await assert_documents_are_current(database)
    trail = await anna.trail()
    assert [each["action"] for each in trail] == ["restore", "hold", "remove"]
    first = trail[-1]
    assert first.pop("decided_at").endswith("Z")
    assert {name: first[name] for name in ("actor", "reason", "note", "product_id")} == {
        "actor": "anna",
        "reason": "spam",
        "note": "a note",
        "product_id": 1,
    }
    assert (first["state_before"], first["state_after"]) == ("visible", "removed")


@pytest.mark.parametrize("target", TARGETS)
async def test_second_moderator_gets_a_conflict_with_what_the_first_decided(
    anna: Moderator, target: str
) -> None:
    number = await post(anna, target, reported=True)
    [item] = await anna.queue()
    first = await anna.decide("restore", target, number, version=item["version"])
    second = await anna.decide("remove", target, number, version=item["version"], actor="ben")
    assert second == (Outcome.CONFLICT, first.decision)
    assert not await anna.is_hidden(target, number)
    assert len(await anna.trail()) == 1


async def test_one_of_many_concurrent_moderators_decides(anna: Moderator) -> None:
    number = await post(anna, "answer")
    version = (await anna.item("answer", number))["version"]
    results = await asyncio.gather(
        *(
            anna.decide("remove", "answer", number, version=version, actor=f"moderator {n}")
            for n in range(12)
        )
    )
    outcomes = [result.outcome for result in results]
    assert outcomes.count(Outcome.DONE) == 1
    assert outcomes.count(Outcome.CONFLICT) == 11
    assert len({result.decision["id"] for result in results if result.decision}) == 1


async def test_text_that_was_changed_since_is_a_conflict_without_a_decision(
    anna: Moderator,
) -> None:
    number = await post(anna, "question")
    version = (await anna.item("question", number))["version"]
    await anna.connection.execute("UPDATE questions SET body = '(removed)' WHERE id = $1", number)
    result = await anna.decide("edit_typo", "question", number, version=version, text="Why, Jane?")
    assert result == (Outcome.CHANGED, None)
    assert (await anna.item("question", number))["object"]["body"] == "(removed)"


async def test_batch_says_for_each_item_what_happened(anna: Moderator) -> None:
    numbers = [await post(anna, "question") for _ in range(3)]
    version = (await anna.item("question", numbers[0]))["version"]
    await anna.decide("hold", "question", numbers[1])
    results = await anna.decisions.decide(
        "anna",
        [
            Decision("question", number, Action.REMOVE, version, "spam")
            for number in (*numbers, 999_999, numbers[0])
        ],
    )
    assert [result.outcome for result in results] == [
        Outcome.DONE,
        Outcome.CONFLICT,
        Outcome.DONE if version.startswith("0-") else None,
        Outcome.NO_TARGET,
        Outcome.CONFLICT,
    ]
    assert results[4].decision == results[0].decision


async def test_decision_about_an_unknown_post_has_no_target(anna: Moderator) -> None:
    for target in TARGETS:
        assert await anna.decide("remove", target, 4) == (Outcome.NO_TARGET, None)
    assert (await anna.undo(4)).outcome is Outcome.NO_TARGET
    assert await anna.trail() == []


async def test_queue_shows_a_reported_post_with_its_context_reports_and_reasons(
    anna: Moderator,
) -> None:
    question = await anna.data.question(9, body="Does it fit?", name="jane")
    answer = await anna.data.answer(question, body="Buy at x.example", photos=["https://a.b/1"])
    for reporter, reason in [("a", "spam"), ("b", "rude"), ("c", "spam"), ("d", None)]:
        await anna.report("answer", answer, reporter, reason, hide=4)
    [item] = await anna.queue()
    assert item.pop("since").endswith("Z")
    assert item.pop("version").startswith("0-")
    assert item["object"].pop("photos")[0]["url"] == "https://a.b/1"
    assert item == {
        "target": "answer",
        "id": answer,
        "state": "reported",
        "product_id": 9,
        "object": {
            "id": answer,
            "question_id": question,
            "body": "Buy at x.example",
            "created_at": "2018-10-18T00:00:00.000Z",
            "author": "metslover",
            "is_seller": False,
            "helpful": 0,
        },
        "question": {"id": question, "body": "Does it fit?", "author": "jane", "is_hidden": False},
        "reports": 4,
        "reasons": [{"reason": "spam", "count": 2}, {"reason": "rude", "count": 1}],
        "last_decision": None,
    }


async def test_post_is_in_the_queue_before_enough_people_have_reported_it(
    anna: Moderator,
) -> None:
    number = await post(anna, "question")
    await anna.report("question", number, "a", hide=3)
    [item] = await anna.queue()
    assert (item["state"], item["reports"]) == ("flagged", 1)
    assert not await anna.is_hidden("question", number)


async def test_restored_post_needs_all_reports_anew(anna: Moderator) -> None:
    number = await post(anna, "question")
    for reporter in "ab":
        await anna.report("question", number, reporter, hide=2)
    assert await anna.is_hidden("question", number)
    result = await anna.decide("restore", "question", number)
    assert result.decision is not None
    assert result.decision["reports"] == 2
    assert await anna.queue() == []
    await anna.report("question", number, "c", hide=2)
    assert not await anna.is_hidden("question", number)
    await anna.report("question", number, "d", hide=2)
    assert await anna.is_hidden("question", number)


async def test_queue_has_the_posts_of_one_state_product_and_reason(anna: Moderator) -> None:
    first, second = await post(anna, "question", product=1), await post(anna, "answer", product=2)
    third = await post(anna, "question", product=2)
    await anna.report("question", first, "a", "spam")
    await anna.report("answer", second, "a", "spam")
    await anna.report("question", third, "a", "rude")

    async def ids(**filters: Any) -> set[int]:  # noqa: ANN401 - the filters of Queue.page
        return {item["id"] for item in await anna.queue(**filters)}

    assert await ids() == {first, second, third}
    assert await ids(product_id=2) == {second, third}
    assert await ids(reason="spam") == {first, second}
    assert await ids(reason="spam", product_id=2) == {second}
    await anna.decide("hold", "question", first)
    await anna.decide("remove", "answer", second)
    assert await ids() == {third}
    assert await ids(state="held") == {first}
    assert await ids(state="removed", product_id=2) == {second}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_of_the_queue_have_every_item_once(anna: Moderator, limit: int) -> None:
    expected = {("question", await anna.data.question(1, reported=True)) for _ in range(4)}
    question = await anna.data.question(1)
    expected |= {("answer", await anna.data.answer(question, reported=True)) for _ in range(3)}
    after, found = Position(), []
    while True:
        page = await anna.lists.page(State.REPORTED, after=after, limit=limit)
        found += [(item["target"], item["id"]) for item in page.items]
        if page.next is None:
            break
        assert isinstance(page.next, Position)
        after = page.next
        await anna.data.question(1)
    assert len(found) == len(expected)
    assert set(found) == expected


async def test_pages_of_the_newest_posts_have_every_post_once(anna: Moderator) -> None:
    page = await anna.lists.newest(after=NewestPosition(), limit=9)
    expected = {(item["target"], item["id"]) for item in page.items}
    for _ in range(5):
        question = await anna.data.question(1)
        expected |= {("question", question), ("answer", await anna.data.answer(question))}
    after, found = NewestPosition(), []
    while True:
        page = await anna.lists.newest(after=after, limit=3)
        found += [(item["target"], item["id"]) for item in page.items]
        if page.next is None:
            break
        assert isinstance(page.next, NewestPosition)
        after = page.next
        await anna.data.question(1)
    assert len(found) == len(set(found))
    assert expected <= set(found)
    for target in TARGETS:
        ids = [number for kind, number in found if kind == target]
        assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET note = NULL", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_nobody_can_change_the_audit_trail(anna: Moderator, statement: str) -> None:
    await anna.decide("remove", "question", await post(anna, "question"))
    before = await anna.trail()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.connection.execute(statement.format("moderation_decisions"))
    assert await anna.trail() == before != []


async def test_audit_trail_is_filtered_and_exported_in_order(anna: Moderator) -> None:
    question, answer = await post(anna, "question"), await post(anna, "answer")
    await anna.decide("remove", "question", question)
    await anna.decide("hold", "answer", answer, actor="ben")
    await anna.decide("restore", "question", question)
    assert [each["id"] for each in await anna.trail(actor="ben")] == [2]
    assert [each["id"] for each in await anna.trail(action="remove")] == [1]
    assert [each["id"] for each in await anna.trail(target="question", target_id=question)] == [
        3,
        1,
    ]
    exported = [each async for each in anna.decisions.all(Filter())]
    assert exported == (await anna.trail())[::-1]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("state", ["visible", "flagged", "reported", "held", "removed"])
@pytest.mark.parametrize("action", ["restore", "remove", "hold"])
async def test_undo_brings_the_earlier_state_back_and_can_be_undone(
    anna: Moderator, database: str, target: str, state: str, action: str
) -> None:
    number = await post(anna, target)
    if state in ("flagged", "reported"):
        await anna.report(target, number, "a", hide=2 if state == "flagged" else 1)
    elif state != "visible":
        await anna.decide({"held": "hold", "removed": "remove"}[state], target, number)
    decision = (await anna.decide(action, target, number)).decision
    assert decision is not None
    undone = await anna.undo(decision["id"])
    assert undone.outcome is Outcome.DONE
    assert undone.decision is not None
    assert (undone.decision["undoes"], undone.decision["state_after"]) == (decision["id"], state)
    assert (await anna.item(target, number))["state"] == state
    assert await anna.is_hidden(target, number) is (state not in ("visible", "flagged"))
    assert (await anna.undo(undone.decision["id"])).outcome is Outcome.DONE
    assert (await anna.item(target, number))["state"] == decision["state_after"]
    await assert_documents_are_current(database)


async def test_only_the_last_decision_about_a_post_can_be_undone(anna: Moderator) -> None:
    number = await post(anna, "question")
    first = (await anna.decide("hold", "question", number)).decision
    last = (await anna.decide("remove", "question", number)).decision
    assert first is not None
    assert await anna.undo(first["id"]) == (Outcome.CONFLICT, last)


@pytest.mark.parametrize("target", TARGETS)
async def test_edit_keeps_the_old_text_and_undo_brings_it_back(
    anna: Moderator, database: str, target: str
) -> None:
    number = await post(anna, target)
    old = (await anna.item(target, number))["object"]["body"]
    edit = (await anna.decide("edit_typo", target, number, text="Corrected.")).decision
    assert edit is not None
    assert (edit["old_text"], edit["new_text"]) == (old, "Corrected.")
    assert (await anna.item(target, number))["object"]["body"] == "Corrected."
    undone = (await anna.undo(edit["id"])).decision
    assert undone is not None
    assert (undone["old_text"], undone["new_text"]) == ("Corrected.", old)
    assert (await anna.item(target, number))["object"]["body"] == old
    assert not await anna.is_hidden(target, number)
    await assert_documents_are_current(database)


async def test_edit_of_a_text_that_was_changed_since_is_not_undone(anna: Moderator) -> None:
    number = await post(anna, "question")
    edit = (await anna.decide("edit_typo", "question", number, text="Corrected.")).decision
    assert edit is not None
    await anna.connection.execute("UPDATE questions SET body = '(removed)' WHERE id = $1", number)
    assert await anna.undo(edit["id"]) == (Outcome.CHANGED, edit)


async def test_answer_as_seller_is_published_and_undo_removes_it(
    anna: Moderator, database: str
) -> None:
    question = await post(anna, "question")
    made = (await anna.decide("answer_as_seller", "question", question, text="Yes.")).decision
    assert made is not None
    item = await anna.item("answer", made["answer_id"])
    assert (item["object"]["author"], item["object"]["body"], item["state"]) == (
        "Seller",
        "Yes.",
        "visible",
    )
    undone = (await anna.undo(made["id"])).decision
    assert undone is not None
    assert (await anna.item("answer", made["answer_id"]))["state"] == "removed"
    await anna.undo(undone["id"])
    assert (await anna.item("answer", made["answer_id"]))["state"] == "visible"
    await assert_documents_are_current(database)


async def test_deleted_post_leaves_the_queue_and_its_texts_but_not_the_audit_trail(
    anna: Moderator,
) -> None:
    question = await post(anna, "question")
    await anna.decide("edit_typo", "question", question, text="Corrected.")
    await anna.decide("hold", "question", question)
    before = await anna.trail()
    await anna.connection.execute("DELETE FROM questions")
    assert await anna.queue("held") == []
    assert await anna.connection.fetch("SELECT FROM edited_texts") == []
    assert [each["id"] for each in await anna.trail()] == [each["id"] for each in before]


async def test_import_that_replaces_everything_keeps_decisions_and_states(
    anna: Moderator, database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    number = await anna.connection.fetchval("SELECT min(id) FROM questions WHERE NOT reported")
    await anna.decide("edit_typo", "question", number, text="Corrected.")
    await anna.decide("remove", "question", number)
    hidden = await anna.connection.fetchval("SELECT count(*) FROM moderation_states")
    trail = await anna.trail()
    await anna.connection.execute("UPDATE questions SET reported = true WHERE id = $1", number)
    await load(database, folder, replace=True)
    assert await anna.trail() == trail
    assert await anna.connection.fetchval("SELECT count(*) FROM moderation_states") == hidden - 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.connection.execute("DELETE FROM moderation_decisions")
    await anna.report("question", number, "a", hide=2)
    assert number in [item["id"] for item in await anna.queue()]
    assert (await anna.decide("remove", "question", number)).outcome is Outcome.DONE


async def test_posts_are_held_for_review_where_moderation_comes_first(
    anna: Moderator, database: str
) -> None:
    question = await post(anna, "question")
    await anna.connection.execute("SET atelier.moderation = 'pre'")
    held = await anna.data.answer(question, photos=["https://a.b/1"])
    asked = await anna.data.question(1)
    await anna.connection.execute("RESET atelier.moderation")
    assert {(item["target"], item["id"]) for item in await anna.queue("held")} == {
        ("answer", held),
        ("question", asked),
    }
    for target, number in (("answer", held), ("question", asked)):
        assert await anna.is_hidden(target, number)
        await anna.decide("restore", target, number)
        assert not await anna.is_hidden(target, number)
    await assert_documents_are_current(database)
