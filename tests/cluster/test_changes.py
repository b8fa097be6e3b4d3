"""Reloading and scaling under traffic: nothing is lost, rejected or applied twice."""

from pathlib import Path

import httpx

from atelier.local.host.home import Home
from tests.cluster.conftest import Operated
from tests.cluster.traffic import Traffic, traffic
from tests.support.commands import run
from tests.support.waiting import wait_until

_PRODUCT = 3_000_001


def test_a_reload_gives_every_instance_a_new_process_and_loses_no_request(
    operated: Operated,
) -> None:
    before = _pids(operated)
    question, asked = _question(operated)
    with traffic(operated.url, _PRODUCT, question) as seen:
        operated.command("reload")
        _wait_until_many_were_served(seen)
    after = _pids(operated)
    assert len(before | after) == len(before) + len(after) == 4
    _nothing_is_lost(operated, seen, asked)


def test_scaling_up_and_down_loses_no_request(operated: Operated) -> None:
    question, asked = _question(operated)
    with traffic(operated.url, _PRODUCT, question) as seen:
        operated.command("scale", "4")
        assert len(_pids(operated)) == 4
        wait_until(lambda: _are_all_used(operated), "an instance gets no requests")
        operated.command("scale", "1")
        assert len(_pids(operated)) == 1
        operated.command("scale", "2")
        _wait_until_many_were_served(seen)
    assert len(_pids(operated)) == 2
    assert len(list(_service_folder(operated).glob("instance-*.sock.*"))) == 2
    _nothing_is_lost(operated, seen, asked)


def test_reload_applies_the_settings_of_its_environment(operated: Operated) -> None:
    operated.command("reload", ATELIER_REQUEST_TIMEOUT="7.5")
    configuration = (_service_folder(operated) / "nginx.conf").read_text()
    assert "proxy_read_timeout 8000ms;" in configuration


def test_reload_rereads_blocked_words_and_rejects_a_missing_file(
    operated: Operated, tmp_path: Path
) -> None:
    words = tmp_path / "words"
    words.write_text("first word")
    post = {"name": "n", "email": "n@e.com", "product_id": _PRODUCT + 1}

    def statuses() -> list[int]:
        return [
            httpx.post(f"{operated.url}/qa/questions", json={**post, "body": body}).status_code
            for body in ("The FIRST word!", "A second word?")
        ]

    assert statuses() == [201, 201]
    operated.command("reload", ATELIER_SPAM_WORDS_FILE=str(words))
    assert statuses() == [422, 201]
    words.write_text("second word")
    assert statuses() == [422, 201]
    operated.command("reload")
    assert statuses() == [201, 422]
    words.unlink()
    rejected = run(operated.home, "reload")
    assert rejected.returncode == 1
    assert rejected.stderr.count("\n") == 1
    assert f"ATELIER_SPAM_WORDS_FILE={words}: set it to a readable file" in rejected.stderr
    assert statuses() == [201, 422]
    operated.command("reload", ATELIER_SPAM_WORDS_FILE="")


def test_failed_reload_changes_nothing_and_gives_the_reason(operated: Operated) -> None:
    before = _pids(operated)
    refused = run(operated.home, "reload", ATELIER_READ_DATABASE_URL="postgresql://[broken/x")
    assert refused.returncode == 1
    assert refused.stderr.startswith("atelier: ")
    assert "ATELIER_READ_DATABASE_URL is not a valid PostgreSQL URL" in refused.stderr
    assert _pids(operated) == before
    assert httpx.get(f"{operated.url}/ready").json()["status"] == "ready"


def _service_folder(operated: Operated) -> Path:
    return Home.open(operated.home).run / "service"


def _question(operated: Operated) -> tuple[int, int]:
    """Post a question; return its id and its number of votes."""
    question = {"body": "First?", "name": "n", "email": "n@e.com", "product_id": _PRODUCT}
    httpx.post(f"{operated.url}/qa/questions", json=question).raise_for_status()
    page = _page(operated)
    return page[0]["question_id"], page[0]["question_helpfulness"]


def _page(operated: Operated) -> list[dict[str, int]]:
    address = f"{operated.url}/qa/questions?product_id={_PRODUCT}&count=100000"
    return list(httpx.get(address, timeout=20).json()["results"])


def _wait_until_many_were_served(seen: Traffic) -> None:
    wait_until(
        lambda: min(seen.answers["GET 200"], len(seen.posted), seen.votes) > 10,
        "too little was served",
    )


def _nothing_is_lost(operated: Operated, seen: Traffic, votes_before: int) -> None:
    assert seen.unexpected == []
    found = [str(question["question_body"]) for question in _page(operated)]
    assert all(found.count(body) >= 1 for body in seen.posted)
    most_helpful = max(question["question_helpfulness"] for question in _page(operated))
    assert most_helpful == votes_before + seen.votes


def _pids(operated: Operated) -> set[int]:
    instances = operated.instances()
    assert {each["state"] for each in instances} == {"ready"}
    return {each["pid"] for each in instances}


def _are_all_used(operated: Operated) -> bool:
    return all(each["requests"] > 0 for each in operated.instances())
