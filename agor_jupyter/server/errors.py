"""The one place where an error becomes an HTTP answer."""

import logging
import secrets
from dataclasses import dataclass, field
from typing import Any

from tornado import web

from agor_jupyter.domain import errors

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[errors.AgorError], int], ...] = (
    (errors.StorageFull, 507),
    (errors.BadTemplate, 422),
    (errors.Invalid, 400),
    (errors.NotAllowed, 403),
    (errors.Refused, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Unavailable, 503),
)
"""The first that fits."""

_CODES = {400: "bad_request", 403: "forbidden", 404: "no_such_route", 405: "no_such_method", 413: "too_large", 415: "bad_content_type"}
_SENTENCES = {
    403: "This needs a login. Open the server's page and log in, or send the server's token in the Authorization header.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}


@dataclass(frozen=True)
class Answer:
    """An error as it goes out."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def _body(code: str, message: str, subject: str | None = None, **details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "subject": subject, "details": details}}


def translate(error: BaseException) -> Answer:
    """What the client sees of `error`. An error that is none of ours shows a number, which the log explains."""
    if isinstance(error, errors.AgorError):
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        headers = {"Retry-After": "1"} if status == 503 else {}
        return Answer(status, _body(error.code, error.message, error.subject, **error.details), headers)
    if isinstance(error, web.HTTPError) and error.status_code < 500:
        message = error.log_message if error.log_message and not error.args else _SENTENCES.get(error.status_code)
        return Answer(error.status_code, _body(_CODES.get(error.status_code, "refused"), message or str(error.reason or "Refused.")))
    incident = secrets.token_hex(4)
    log.error("Incident %s", incident, exc_info=(type(error), error, error.__traceback__))
    message = f"Something went wrong inside the server. Its log has the details under incident {incident}."
    return Answer(500, _body("internal", message, incident=incident))
