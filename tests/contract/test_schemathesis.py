"""Requests that schemathesis generates from openapi.yaml, against the running service."""

import os
from importlib.resources import as_file
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

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


@pytest.mark.usefixtures("documented")
@schema.parametrize()
@_SETTINGS
def test_every_response_conforms_to_the_specification(
    case: schemathesis.Case[Any], service: Cluster
) -> None:
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if positive and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())  # a reused key would be rejected
    case.call_and_validate(base_url=service.base_url)


@pytest.mark.usefixtures("documented")
def test_responses_to_sequences_conform_to_the_specification(service: Cluster) -> None:
    class Sequences(schema.as_state_machine()):  # type: ignore[misc] # a class made at run time
        """Follow the links from pages to their questions and answers."""

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = str(uuid4())
            return {"base_url": service.base_url}

    Sequences.run(
        settings=settings(_SETTINGS, max_examples=200 if _IS_FULL else 10, stateful_step_count=12)
    )
