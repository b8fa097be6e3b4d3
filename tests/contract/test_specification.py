"""openapi.yaml is valid, consistent with its examples, complete, and served unchanged."""
# ruff: noqa: PLC0415 - importing the validators takes seconds, and every worker collects this

import re
from typing import Any

import httpx
import pytest
import yaml
from falcon.inspect import inspect_routes

from atelier.http.app import create_service
from atelier.http.common.errors import PROBLEM
from atelier.http.common.paths import has_only_problems
from atelier.http.pages.documentation import specification
from atelier.settings import Settings
from tests.contract.api import NEW_QUESTION

CONTENT = specification().read_bytes()
SPECIFICATION = yaml.load(CONTENT, yaml.CSafeLoader)
OPERATIONS = [
    (path, method, operation)
    for path, item in SPECIFICATION["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]

NEED_PERSONS = {"takeBackVoteForQuestion", "takeBackVoteForAnswer"}
"""The operations that a service with ATELIER_VOTE_ONCE=off rejects."""


def resolved(node: Any) -> Any:  # noqa: ANN401 - any value of the document
    """Return a node of the document with its references resolved."""
    if isinstance(node, list):
        return [resolved(child) for child in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: resolved(child) for key, child in node.items()}
    target: Any = SPECIFICATION
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return resolved(target)


def nameless(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"{\w+}", "{}", path)


def parameters(node: dict[str, Any], location: str) -> dict[str, Any]:
    """Return the parameter examples of an operation or a path for one location (`in`)."""
    found = resolved(node.get("parameters", []))
    return {p["name"]: p["example"] for p in found if p["in"] == location and "example" in p}


def examples(media: dict[str, Any]) -> list[Any]:
    """Return the examples of one media type."""
    named = [example["value"] for example in media.get("examples", {}).values()]
    return [*named, *([media["example"]] if "example" in media else [])]


def error_forms(path: str) -> set[str]:
    """Return the media types of a path's errors."""
    if path.startswith("/ready"):
        return {"application/json"}
    return {PROBLEM} if has_only_problems(path) else {"text/plain", PROBLEM}


def test_the_document_is_valid_openapi_3_0() -> None:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    OpenAPIV30SpecValidator(SPECIFICATION).validate()


def test_every_parser_of_yaml_reads_the_same_document() -> None:
    """PyYAML with libyaml accepts texts that its parser in Python and others reject."""
    assert yaml.safe_load(CONTENT) == SPECIFICATION


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_example_keeps_to_its_own_schema(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator

    body = resolved(operation.get("requestBody", {}))
    for media in body.get("content", {}).values():
        assert examples(media), f"{method} {path} shows no body"
        for example in examples(media):
            OAS30WriteValidator(media["schema"]).validate(example)
    for response in resolved(operation["responses"]).values():
        for media in response.get("content", {}).values():
            for example in examples(media):
                OAS30ReadValidator(media["schema"]).validate(example)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_is_described_and_every_error_has_an_example(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"], f"{method} {path}"
    for status, response in resolved(operation["responses"]).items():
        assert response["description"]
        if status >= "400":
            # nginx knows no path of a URI that is too long.
            forms = {"text/plain"} if status == "414" else error_forms(path)
            assert response["content"].keys() == forms
            assert all(examples(media) for media in response["content"].values())


_API = {"qa", "v1", "admin", "live", "ready", "openapi.yaml", "docs"}
"""First segments of paths; the others are those of pages for browsers, and /metrics."""


def test_every_route_of_the_api_is_documented() -> None:
    routes = inspect_routes(create_service(Settings(), "postgresql:///unused").app)
    served = {
        (nameless(route.path), method.method.lower())
        for route in routes
        for method in route.methods
        if not method.internal
        and route.path.split("/")[1] in _API
        and not route.path.startswith("/docs/")
    }
    documented = {(nameless(path), method) for path, method, _ in OPERATIONS}
    heads = {(path, "head") for path, method in documented if method == "get"}
    assert served == documented | heads


@pytest.mark.usefixtures("documented")
@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
async def test_every_documented_request_gets_a_documented_success(
    client: httpx.AsyncClient,
    token: str,
    path: str,
    method: str,
    operation: dict[str, Any],
) -> None:
    from openapi_schema_validator import OAS30ReadValidator

    query = parameters(operation, "query")
    headers = {"Authorization": f"Bearer {token}"} if "security" in operation else {}
    given = parameters(SPECIFICATION["paths"][path], "path")
    if operation["operationId"] == "getOwnPost":
        posted = await client.post("/v1/products/5/questions", json=NEW_QUESTION)
        given = {"token": posted.json()["status_url"].rpartition("/")[2]}
    url = path.format(**given)
    bodies = resolved(operation.get("requestBody", {})).get("content", {"": {"example": None}})
    for content_type, media in bodies.items():
        how = "data" if "form" in content_type else "json"
        response = await client.request(
            method, url, params=query, headers=headers, **{how: media["example"]}
        )
        if operation["operationId"] in NEED_PERSONS:
            assert response.status_code == 409
            continue
        assert response.is_success
        success = resolved(operation["responses"][str(response.status_code)])
        received = response.headers.get("content-type", "").partition(";")[0]
        assert received in success.get("content", {"": None})
        if received == "application/json":
            schema = success["content"][received]["schema"]
            OAS30ReadValidator(schema).validate(response.json())


@pytest.mark.parametrize(
    "number",
    [-(2**63) - 1, -(2**63), -1, 0, 1, 10**18 - 1, 10**18, 2**63 - 8, 2**63 - 1, 2**63, 10**19],
)
async def test_the_schema_of_a_posted_product_id_and_the_service_agree_on_every_boundary(
    client: httpx.AsyncClient, number: int
) -> None:
    from openapi_schema_validator import OAS30WriteValidator, oas30_format_checker

    operation = SPECIFICATION["paths"]["/qa/questions"]["post"]
    [media, _] = resolved(operation["requestBody"])["content"].values()
    for product_id in (number, str(number), f"00{number}"):
        question = {**media["example"], "product_id": product_id}
        allowed = OAS30WriteValidator(
            media["schema"], format_checker=oas30_format_checker
        ).is_valid(question)
        posted = await client.post("/qa/questions", json=question)
        assert (posted.status_code == 201) is allowed is (1 <= number < 2**63)


def test_a_route_requires_a_token_exactly_under_admin() -> None:
    for path, method, operation in OPERATIONS:
        is_secured = operation.get("security") == [{"token": []}]
        assert is_secured is path.startswith("/admin/"), f"{method} {path}"
        assert not is_secured or {"401", "403"} <= operation["responses"].keys()


async def test_document_is_served_unchanged(client: httpx.AsyncClient) -> None:
    response = await client.get("/openapi.yaml")
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == "application/yaml"
    assert response.content == CONTENT


async def test_client_with_a_current_copy_gets_304(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/openapi.yaml")).headers["etag"]
    for match in (etag, f'"other", {etag}', f"W/{etag}"):
        response = await client.get("/openapi.yaml", headers={"If-None-Match": match})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    response = await client.get("/openapi.yaml", headers={"If-None-Match": '"other"'})
    assert response.status_code == 200
