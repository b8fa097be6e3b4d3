"""Requests that schemathesis generates from openapi.yaml, against the running service."""

from importlib.resources import as_file
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from atelier.http.pages.documentation import specification
from tests.support.cluster import Cluster

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
@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_response_conforms_to_the_specification(
    case: schemathesis.Case[Any], service: Cluster
) -> None:
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if positive and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())  # a reused key would be rejected
    case.call_and_validate(base_url=service.base_url)
