"""How a request is refused: the contract's texts, as plain text or as RFC 9457 problems."""

import json
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.logs import log, report, request_id, request_suffix
from atelier.store.batcher import OverloadedError
from atelier.store.connections.database import DatabaseUnavailableError

PROBLEM = "application/problem+json"


class ApiError(falcon.HTTPError):
    """An answer that is not a success, with the text the client is shown."""

    def __init__(
        self, status: HTTPStatus, text: str, headers: dict[str, str] | None = None
    ) -> None:
        """Take the status, the text (`Error: …`) and any further headers."""
        super().__init__(status, description=text, headers=headers)


def invalid(parameter: str) -> ApiError:
    """Return the refusal of a query parameter."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"Error: invalid {parameter} provided")


def not_found(target: str) -> ApiError:
    """Return the refusal of a question or answer id that is malformed or unknown."""
    return ApiError(HTTPStatus.NOT_FOUND, f"Error: invalid {target} id provided")


def serialize(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError
) -> None:
    """Write an error as the client wants it: text, unless it asks for a problem document."""
    text = error.description or f"Error: {HTTPStatus(error.status_code).phrase}"
    resp.append_header("Vary", "Accept")
    if _wants_problem(req.accept):
        resp.content_type = PROBLEM
        resp.text = json.dumps(_problem(error.status_code, text), ensure_ascii=False)
    else:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = text


def _problem(status: int, text: str) -> dict[str, object]:
    # Not Python's own phrase: 3.13 has other names for 413 and 422.
    title = falcon.code_to_http_status(status).partition(" ")[2]
    return {"type": "about:blank", "title": title, "status": status, "detail": text}


def _wants_problem(accept: str) -> bool:
    """Tell whether problems are asked for by name, and plain text not more so."""
    if PROBLEM not in accept.lower():
        return False
    return _named_quality(PROBLEM, accept) >= max(_named_quality(falcon.MEDIA_TEXT, accept), 0.001)


def _named_quality(media_type: str, accept: str) -> float:
    """Return the q-value of a type that an Accept header names itself; wildcards do not count."""
    wanted = media_type.partition(";")[0]
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == wanted:
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
    """Answer 503 while the database does not answer, or too many wait for it."""
    reason = "too many requests" if isinstance(error, OverloadedError) else "no database"
    report(reason, req, error.__cause__)
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
    """Answer 500 where the service is at fault, and log what happened."""
    method = req.method if req.method in falcon.COMBINED_METHODS else "a request"
    route = req.uri_template or "outside all routes"  # not the path, which may hold anything
    log.error("%s %s failed", method, route, extra={"request": request_id(req)}, exc_info=error)
    raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, f"Error: internal error{request_suffix(req)}")
