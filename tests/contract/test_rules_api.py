"""`/admin/v1/rules`: the rules in force, changes of them, and trials."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from falcon.testing import Result

from atelier.store import tokens
from atelier.store.tokens import Scope
from tests.contract.test_rules import CASINO, LINKS, ask
from tests.contract.voting import TwoInstances, two_instances

PATH = "/admin/v1/rules"
HELD = CASINO.format(action="hold")


class Operator:
    """Sends requests with a token to two instances in turn."""

    def __init__(self, service: TwoInstances, token: str) -> None:
        self.service = service
        self._headers = {"Authorization": f"Bearer {token}"}
        self._sent = 0

    async def __call__(self, method: str, path: str = PATH, **fields: Any) -> Result:  # noqa: ANN401 - JSON
        self._sent += 1
        options: dict[str, Any] = {"json": fields} if fields else {}
        return await self.service.send(
            method, path, instance=self._sent % 2, headers=self._headers, **options
        )


@pytest.fixture
async def operator(database: str) -> AsyncIterator[Operator]:
    async with two_instances(database) as service:
        token = await tokens.create(service.connection, "anna", Scope.OPERATE)
        assert token
        yield Operator(service, token)


async def test_a_change_is_in_force_is_recorded_and_counts_what_it_does(
    operator: Operator,
) -> None:
    assert (await operator("GET")).json == {
        "version": None,
        "source": None,
        "rules": [],
        "history": [],
    }
    assert (await operator("PUT", source=HELD)).json["version"] == 1
    for n in range(3):
        await ask(operator.service, n % 2, f"casino {n}")
    shown = (await operator("GET")).json
    assert shown["source"] == HELD
    [rule] = shown["rules"]
    assert (rule["name"], rule["posts"]) == ("casino", 3)
    assert rule["last_at"] is not None
    assert (await operator("PUT", source=None)).json["version"] is None
    history = (await operator("GET")).json["history"]
    assert [(each["version"], each["actor"]) for each in history] == [(None, "anna"), (1, "anna")]


async def test_what_each_version_refused_is_shown_after_it_was_replaced(operator: Operator) -> None:
    refusing = HELD.replace('"hold"', '"refuse"')
    for source, posts in ((refusing, 2), (HELD, 1), (refusing, 0)):
        await operator("PUT", source=source)
        for n in range(posts):
            await ask(operator.service, n % 2, f"casino {n}")
    shown = []
    for version in (1, 2, 3):
        found = (await operator("GET", f"{PATH}?version={version}")).json
        assert found["version"] == version
        shown += [(rule["action"], rule["posts"]) for rule in found["rules"]]
    assert shown == [("refuse", 2), ("hold", 1), ("refuse", 0)]
    for unknown, status in ((4, 404), (0, 404), (2**40, 404), ("x", 422)):
        assert (await operator("GET", f"{PATH}?version={unknown}")).status_code == status


async def test_the_second_of_two_operators_gets_a_conflict(operator: Operator) -> None:
    assert (await operator("PUT", source=HELD, replaces=0)).status_code == 200
    late = await operator("PUT", source=LINKS, replaces=0)
    assert (late.status_code, late.json["detail"]) == (
        409,
        "version 1 is in force now: read the rules again",
    )
    assert (await operator("PUT", source=LINKS, replaces=1)).json["version"] == 2


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"source": "[[rule]]\nname = 1"}, "source is invalid: line 1, rule 1: name: write a name"),
        ({"source": 5}, "source must be the text of a file of rules"),
        ({"days": 3}, "source must be the text of a file of rules"),
        ({"source": HELD, "replaces": -1, "days": 0}, " must be a whole number from "),
    ],
)
async def test_invalid_fields_are_named(
    operator: Operator, fields: dict[str, object], detail: str
) -> None:
    for method, path in (("PUT", PATH), ("POST", f"{PATH}/try")):
        refused = await operator(method, path, **fields)
        assert refused.status_code == 422
        assert detail in refused.json["detail"]
    assert (await operator("GET")).json["history"] == []


async def test_a_trial_changes_nothing_and_shows_examples(operator: Operator) -> None:
    for n in range(4):
        await ask(operator.service, n % 2, f"casino {n}")
    tried = (await operator("POST", f"{PATH}/try", source=HELD, days=1, examples=2)).json
    assert (tried["complete"], tried["would_be_held"], tried["looked_at"]["posts"]) == (True, 4, 4)
    [rule] = tried["rules"]
    assert [each["text"] for each in rule["examples"]] == ["casino 2", "casino 3"]
    states = await operator.service.rows("SELECT 1 FROM moderation_states")
    assert (states, (await operator("GET")).json["version"]) == ([], None)
