"""Requests that schemathesis generates from openapi.yaml, against the running service."""

import os
import re
from collections.abc import Mapping
from importlib.resources import as_file
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.generation.meta import negated_parameters
from schemathesis.specs.openapi.checks import positive_data_acceptance
from unicodedata2 import normalize

from atelier.http.pages.documentation import specification
from tests.support.cluster import Cluster

_IS_FULL = os.environ.get("FUZZ") == "full"
"""`make fuzz`: new random cases, and far more of them, where otherwise all runs have the same."""

_SETTINGS = settings(
    max_examples=1000 if _IS_FULL else 60,
    derandomize=not _IS_FULL,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

_NOT_IN_PATTERNS = re.compile(r"[\u202a-\u202e\u2066-\u2069\U00010000-\U0010ffff]")

# nginx itself rejects TRACE.
_CONFIG = SchemathesisConfig.from_dict(
    {
        "phases": {
            "coverage": {
                "generate-duplicate-query-parameters": True,
                "unexpected-methods": ["get", "post", "put", "patch", "delete"],
            }
        }
    }
)

with as_file(specification()) as path:
    schema = schemathesis.openapi.from_path(path, config=_CONFIG)


def _is_expressible(body: object) -> bool:
    """Tell whether patterns can express that the texts of a body are valid.

    They cannot for code points above U+FFFF, combining marks and bidirectional controls.
    """
    return not any(_NOT_IN_PATTERNS.search(text) for text in _texts(body))


def _has_rules(body: object) -> bool:
    """Tell whether a body has the text of a file of rules, which a schema cannot describe."""
    return isinstance(body, dict) and isinstance(body.get("source"), str)


def _becomes_shorter(body: object) -> bool:
    """Tell whether the service trims or composes a text before it counts the length.

    A schema can only count the length of what was sent, so it calls some of them too long.
    """
    return any(
        len(normalize("NFC", text.replace("\r\n", "\n")).strip()) < len(text)
        for text in _texts(body)
    )


def _becomes_longer(query: object) -> bool:
    """Tell whether a text to search for has more letters once normalized, as U+33C2 is "am".

    A schema can only count the length of what was sent, so it calls some of them too short.
    """
    values = dict(query) if isinstance(query, Mapping) else {}
    return any(len(normalize("NFKD", text)) > len(text) for text in _texts(values))


def _texts(body: object) -> list[str]:
    if isinstance(body, str):
        return [body]
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else []
    return [text for value in values for text in _texts(value)]


_WAITS = set(map(str, range(1, 31)))


def _is_expressible_query(query: object) -> bool:
    """Tell whether a query that fits the schema is certainly valid.

    Only pages contain valid cursors; texts to search for must have three letters or digits once
    they are normalized; some parameters exclude others.
    """
    values = dict(query) if isinstance(query, Mapping) else {}
    texts = [values[name] for name in ("q", "text") if name in values]
    is_searchable = all(
        isinstance(text, str) and text.isascii() and re.search(r"[!-~]{3}", text) for text in texts
    )
    is_sorted_twice = "q" in values and {"sort", "filter"} & values.keys()
    is_unordered = values.get("sort") == "relevance" and "q" not in values
    is_newest = values.get("filter") == "newest" and {"product_id", "reason"} & values.keys()
    is_excluded = is_sorted_twice or is_unordered or is_newest
    return is_searchable and "after" not in values and not is_excluded


def authorization(case: schemathesis.Case[Any], token: str) -> dict[str, str]:
    """Return the header with the token if one is required and its absence is not being tested."""
    is_without = any(name == "Authorization" for name, _ in negated_parameters(case.meta))
    if is_without or "security" not in case.operation.definition.raw:
        return {}
    return {"Authorization": f"Bearer {token}"}


def do_not_wait(case: schemathesis.Case[Any]) -> None:
    """Replace a valid wait for changes: the next one may be as far away as the wait is long."""
    if case.query and str(case.query.get("wait")) in _WAITS:
        case.query["wait"] = 0


@pytest.mark.usefixtures("documented")
@schema.parametrize()
@_SETTINGS
def test_every_response_conforms_to_the_specification(
    case: schemathesis.Case[Any], service: Cluster, token: str
) -> None:
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if positive:
        assume(_is_expressible(case.body) and _is_expressible_query(case.query))
    else:
        assume(not _becomes_shorter(case.body) and not _becomes_longer(case.query))
    if positive and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())  # a reused key would be rejected
    do_not_wait(case)
    case.call_and_validate(
        base_url=service.base_url,
        headers=authorization(case, token),
        excluded_checks=[positive_data_acceptance] if _has_rules(case.body) else [],
    )


@pytest.mark.usefixtures("documented")
def test_responses_to_sequences_conform_to_the_specification(service: Cluster, token: str) -> None:
    class Sequences(schema.as_state_machine()):  # type: ignore[misc] # a class made at run time
        """Follow the links from pages to their questions and answers."""

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            do_not_wait(case)
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = str(uuid4())
            return {"base_url": service.base_url, "headers": authorization(case, token)}

        def validate_response(  # what patterns cannot express may be rejected
            self,
            response: Response,
            case: schemathesis.Case[Any],
            **options: Any,  # noqa: ANN401 - as the library
        ) -> None:
            case.validate_response(
                response, excluded_checks=[positive_data_acceptance], transport_kwargs=options
            )

    Sequences.run(
        settings=settings(_SETTINGS, max_examples=200 if _IS_FULL else 10, stateful_step_count=12)
    )
