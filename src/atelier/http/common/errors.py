"""Error responses: the contract's texts, as plain text or as RFC 9457 problem documents."""

import json
from collections.abc import Mapping
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common import languages
from atelier.http.common.logs import log, log_rejection, request_id, request_suffix
from atelier.http.common.paths import has_only_problems, is_admin
from atelier.store.batcher import OverloadedError
from atelier.store.connections.database import DatabaseUnavailableError

PROBLEM = "application/problem+json"


class ApiError(falcon.HTTPError):
    """An error response with the text that the client gets."""

    def __init__(
        self,
        status: HTTPStatus,
        text: str,
        headers: dict[str, str] | None = None,
        **members: object,
    ) -> None:
        """Take the status, the text, additional headers, and members of the problem document.

        The text is `Error: …`; under /v1 and /admin these words are left out. The members are
        sent only there.
        """
        super().__init__(status, description=text, headers=headers)
        self.members = members


def invalid(parameter: str) -> ApiError:
    """Return the error for an invalid query parameter."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"Error: invalid {parameter} provided")


def invalid_parameter(name: str, rule: str) -> ApiError:
    """Return the error for a query parameter under /v1 or /admin, given what it must be."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must be {rule}", parameter=name)


def not_found(target: str) -> ApiError:
    """Return the error for a malformed or unknown question or answer id."""
    detail = f"there is no {target} with this id"
    return ApiError(HTTPStatus.NOT_FOUND, f"Error: invalid {target} id provided", detail=detail)


def serialize(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
) -> None:
    """Write an error as a problem document under /v1 and /admin, or if the client asks for one.

    Otherwise it is plain text.
    """
    text = error.description or f"Error: {HTTPStatus(error.status_code).phrase}"
    if has_only_problems(req.path):
        members = {**error.members} if isinstance(error, ApiError) else {}
        detail = str(members.pop("detail", text.removeprefix("Error: ")))
        _send_problem(resp, error.status_code, _in_language_of(req, resp, detail), members)
        return
    resp.append_header("Vary", "Accept")
    if _prefers_problem(req.accept):
        _send_problem(resp, error.status_code, text, {})
    else:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = text


def _in_language_of(req: falcon.asgi.Request, resp: falcon.asgi.Response, text: str) -> str:
    """Return a text that shoppers may see in their language, if it is known in it."""
    if is_admin(req.path):
        return text
    resp.append_header("Vary", "Accept-Language")
    language = languages.accepted(req)
    translated = None if language == languages.ENGLISH else languages.translated(text, language)
    if translated is None:
        return text
    resp.set_header("Content-Language", language)
    return translated


def _send_problem(
    resp: falcon.asgi.Response, status: int, detail: str, members: Mapping[str, object]
) -> None:
    # Not HTTPStatus.phrase: Python 3.13 changed those of 413 and 422.
    title = falcon.code_to_http_status(status).partition(" ")[2]
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    resp.content_type = PROBLEM
    resp.text = json.dumps({**problem, **members}, ensure_ascii=False)


def _prefers_problem(accept: str) -> bool:
    """Return whether problem documents are accepted by name, and plain text not preferred."""
    if PROBLEM not in accept.lower():
        return False
    text_quality = max(_explicit_quality(falcon.MEDIA_TEXT, accept), 0.001)
    return _explicit_quality(PROBLEM, accept) >= text_quality


def _explicit_quality(media_type: str, accept: str) -> float:
    """Return a media type's q-value in an Accept header, 0 if not listed; ignore wildcards."""
    essence = media_type.partition(";")[0]
    for part in accept.lower().split(","):
        name, *parameters = (field.strip() for field in part.split(";"))
        if name == essence:
            return _quality(parameters)
    return 0.0


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


async def unavailable(
    req: falcon.asgi.Request,
    _resp: falcon.asgi.Response,
    error: DatabaseUnavailableError | OverloadedError,
    _params: dict[str, object],
) -> None:
    """Respond with 503 if the database is unavailable or its queue is full."""
    reason = "too many requests" if isinstance(error, OverloadedError) else "no database"
    log_rejection(reason, req, error.__cause__)
    raise ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"Error: {reason} at the moment; try again shortly{request_suffix(req)}",
        {"Retry-After": "1"},
    )


async def unexpected(
    req: falcon.asgi.Request,
    _resp: falcon.asgi.Response,
    error: Exception,
    _params: dict[str, object],
) -> None:
    """Respond with 500 to an unhandled exception, and log it."""
    method = req.method if req.method in falcon.COMBINED_METHODS else "a request"
    route = req.uri_template or "outside all routes"  # the path may contain personal data
    log.error("%s %s failed", method, route, extra={"request": request_id(req)}, exc_info=error)
    raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, f"Error: internal error{request_suffix(req)}")
