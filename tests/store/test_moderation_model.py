"""Moderation behaves like a small model in Python, whatever shoppers and moderators do."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from atelier.store.moderation.decisions import Outcome
from tests.store.moderators import Moderator, moderator

_REPORTS_TO_HIDE = 2
_STATES = {"restore": "visible", "remove": "removed", "hold": "held"}
_INDEX = st.integers(0, 30)


@dataclass
class Decided:
    """A decision in the model."""

    id: int
    before: str
    after: str
    old: str | None = None
    new: str | None = None
    answer: "Post | None" = None
    answer_shown: bool = True


@dataclass
class Post:
    """A question or an answer in the model."""

    target: str
    id: int
    body: str
    state: str = "visible"
    reporters: set[str] = field(default_factory=set)
    """Everybody who has reported it: each counts once."""
    reports: int = 0
    decisions: list[Decided] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """The versions that moderators saw."""
    seen_last: list[tuple[int, str]] = field(default_factory=list)
    """What the model takes for the same versions."""

    @property
    def is_hidden(self) -> bool:
        return self.state not in ("visible", "flagged")

    @property
    def version(self) -> tuple[int, str]:
        return (self.decisions[-1].id if self.decisions else 0, self.body)

    def report(self, reporter: str) -> None:
        if reporter in self.reporters:
            return
        self.reporters.add(reporter)
        self.reports += 1
        if self.state in ("visible", "flagged"):
            self.state = "reported" if self.reports >= _REPORTS_TO_HIDE else "flagged"

    def decide(self, number: int, action: str, text: str | None) -> None:
        before, old = self.state, self.body
        self.state = _STATES.get(action, self.state)
        if action == "restore":
            self.reports = 0
        if action == "edit_typo":
            assert text
            self.body = text
            self.decisions.append(Decided(number, before, self.state, old, text))
        else:
            self.decisions.append(Decided(number, before, self.state))

    def undo(self, number: int) -> Outcome:
        undone, before = self.decisions[-1], self.state
        if undone.new is not None and undone.new != self.body:
            return Outcome.CHANGED
        if undone.before != undone.after:
            self.state = undone.before
        if self.state == "visible":
            self.reports = 0
        made = Decided(number, before, self.state, undone.new, undone.old, undone.answer)
        self.body = undone.old if undone.old is not None else self.body
        if undone.answer:
            made.answer_shown = not undone.answer_shown
            undone.answer.state = "visible" if made.answer_shown else "removed"
        self.decisions.append(made)
        return Outcome.DONE


class Model(RuleBasedStateMachine):
    """Does the same to a database and to the model."""

    runner: ClassVar[asyncio.Runner]
    anna: ClassVar[Moderator]

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it returns
        return self.runner.run(work)

    @initialize()
    def empty(self) -> None:
        self._wait(
            self.anna.connection.execute("TRUNCATE questions CASCADE; TRUNCATE reports, voters")
        )
        self.posts: list[Post] = []

    def _pick(self, index: int, is_wanted: Callable[[Post], bool] = bool) -> Post:
        wanted = [post for post in self.posts if is_wanted(post)]
        return wanted[index % len(wanted)]

    def _has(self, target: str = "") -> bool:
        return any(not target or post.target == target for post in self.posts)

    @rule(comes_first=st.booleans())
    def ask(self, *, comes_first: bool) -> None:
        self._add("question", None, comes_first=comes_first)

    @precondition(lambda self: self._has("question"))
    @rule(index=_INDEX, comes_first=st.booleans())
    def answer(self, index: int, *, comes_first: bool) -> None:
        question = self._pick(index, lambda post: post.target == "question")
        self._add("answer", question.id, comes_first=comes_first)

    def _add(self, target: str, question: int | None, *, comes_first: bool) -> None:
        if comes_first:
            self._wait(self.anna.connection.execute("SET atelier.moderation = 'pre'"))
        work = self.anna.data.answer(question) if question else self.anna.data.question(1)
        number = self._wait(work)
        self._wait(self.anna.connection.execute("RESET atelier.moderation"))
        body = self._wait(self.anna.item(target, number))["object"]["body"]
        self.posts.append(Post(target, number, body, "held" if comes_first else "visible"))

    @precondition(lambda self: self._has())
    @rule(index=_INDEX, reporter=st.sampled_from("abcd"))
    def report(self, index: int, reporter: str) -> None:
        post = self._pick(index)
        self._wait(self.anna.report(post.target, post.id, reporter, hide=_REPORTS_TO_HIDE))
        post.report(reporter)

    @precondition(lambda self: self._has())
    @rule(index=_INDEX)
    def look(self, index: int) -> None:
        post = self._pick(index)
        post.seen.append(self._wait(self.anna.item(post.target, post.id))["version"])
        post.seen_last.append(post.version)

    @precondition(lambda self: self._has())
    @rule(
        index=_INDEX,
        action=st.sampled_from([*_STATES, "edit_typo"]),
        text=st.sampled_from(["One.", "Two."]),
        seen=st.none() | _INDEX,
    )
    def decide(self, index: int, action: str, text: str, seen: int | None) -> None:
        post = self._pick(index)
        seen = None if seen is None or not post.seen else seen % len(post.seen)
        version = None if seen is None else post.seen[seen]
        text_or_none = text if action == "edit_typo" else None
        outcome, decision = self._wait(
            self.anna.decide(action, post.target, post.id, version=version, text=text_or_none)
        )
        if seen is not None and post.seen_last[seen] != post.version:
            is_decision = post.seen_last[seen][0] != post.version[0]
            assert outcome is (Outcome.CONFLICT if is_decision else Outcome.CHANGED)
            assert (decision["id"] if decision else 0) == post.version[0]
            return
        assert outcome is Outcome.DONE
        assert decision["reports"] == post.reports
        post.decide(decision["id"], action, text_or_none)

    @precondition(lambda self: self._has("question"))
    @rule(index=_INDEX)
    def answer_as_seller(self, index: int) -> None:
        post = self._pick(index, lambda post: post.target == "question")
        result = self._wait(
            self.anna.decide("answer_as_seller", "question", post.id, text="We do.")
        )
        post.decide(result.decision["id"], "answer_as_seller", None)
        answer = Post("answer", result.decision["answer_id"], "We do.")
        post.decisions[-1].answer = answer
        self.posts.append(answer)

    @precondition(lambda self: any(post.decisions for post in self.posts))
    @rule(index=_INDEX, which=_INDEX)
    def undo(self, index: int, which: int) -> None:
        post = self._pick(index, lambda post: bool(post.decisions))
        chosen = post.decisions[which % len(post.decisions)]
        outcome, decision = self._wait(self.anna.undo(chosen.id))
        if chosen is not post.decisions[-1]:
            assert outcome is Outcome.CONFLICT
            assert decision["id"] == post.decisions[-1].id
            return
        assert outcome is post.undo(decision["id"])

    @precondition(lambda self: self._has())
    @rule(index=_INDEX)
    def another_program_changes_the_text(self, index: int) -> None:
        post = self._pick(index)
        post.body = "(removed)"
        table = f"{post.target}s"
        query = f"UPDATE {table} SET body = '(removed)' WHERE id = $1"  # noqa: S608 - fixed names
        self._wait(self.anna.connection.execute(query, post.id))

    @invariant()
    def database_is_like_the_model(self) -> None:
        for post in self.posts:
            item = self._wait(self.anna.item(post.target, post.id))
            assert (item["state"], item["object"]["body"]) == (post.state, post.body)
            assert item["reports"] == post.reports
            assert self._wait(self.anna.is_hidden(post.target, post.id)) is post.is_hidden
            last = item["last_decision"]
            assert (last["id"] if last else 0) == post.version[0]
        for state in ("reported", "held", "removed"):
            shown = {(each["target"], each["id"]) for each in self._wait(self.anna.queue(state))}
            states = (state, "flagged") if state == "reported" else (state,)
            assert shown == {(post.target, post.id) for post in self.posts if post.state in states}

    @invariant()
    def documents_show_what_is_visible(self) -> None:
        differences = self._wait(
            self.anna.connection.fetchval(
                "SELECT count(*) FROM question_document_view v"
                " FULL JOIN question_documents d USING (question_id)"
                " WHERE v.document IS DISTINCT FROM d.document"
            )
        )
        assert differences == 0


def test_moderation_behaves_like_its_model(database: str) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        Model.runner = runner
        Model.anna = runner.run(stack.enter_async_context(moderator(database)))
        run_state_machine_as_test(
            Model,
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(stack.aclose())
