"""The papers of requests: files that an office's system sends, and takes back out."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from core.access.permissions import Permission
from core.jalali import instant_of
from core.requests.documents import (
    MOST_BYTES,
    Document,
    add_document,
    list_documents,
    read_document,
)
from gateway.web.api.call import Call
from gateway.web.api.models import At, Id, Misfit, Model, Nothing
from gateway.web.api.problems import not_found
from gateway.web.api.request_models import Name, Whose
from gateway.web.api.request_telling import counter_of, find, in_words
from gateway.web.api.routes import Routes

routes = Routes("request-files", "Papers of requests")
# A path of its own: what is sent to other addresses of a request stays small.
_PATH: Final = "/request-files/<tracking>"
_SIGNS: Final = (MOST_BYTES + 2) // 3 * 4
"""Of base64 for the largest file that is taken."""
_AROUND: Final = 16 * 1024
"""Bytes of a body around its file."""
_PDF: Final = b64encode(b"%PDF-1.7\n%%EOF\n").decode()


def _is_base64(said: str) -> str:
    try:
        b64decode(said, validate=True)
    except (NotBase64, ValueError):
        raise Misfit("is no base64", "نوشتهٔ base64 نیست") from None
    return said


class Paper(Model):
    """A file to be kept."""

    utility: Name | None = None
    name: Name = Field(description="What it is called.", min_length=1)
    file: Annotated[str, Field(max_length=_SIGNS), AfterValidator(_is_base64)] = Field(
        description=f"In base64: PDF, JPEG or PNG, at most {MOST_BYTES:,} bytes.",
        json_schema_extra={"contentEncoding": "base64"},
    )


class Kept(Model):
    """A file that is kept."""

    id: Id
    name: str | None = Field(description="null in lists without `personal.see`.")
    kind: str = Field(description="Its media type, by what it begins with.")
    size: int = Field(description="Bytes.")
    at: At
    by: str


class KeptPapers(Model):
    """All of a request, the oldest first."""

    items: list[Kept]


class Whole(Kept):
    """A file with what is in it."""

    file: str = Field(description="In base64.")


@routes.route(
    "POST",
    _PATH,
    Permission.REQUEST_EDIT,
    summary="Keep a paper with a request",
    body=Paper,
    answers=Kept,
    status=201,
    action="request.file_add",
    example={"name": "id-card.pdf", "file": _PDF},
    problems=("conflict",),
    most_body=_SIGNS + _AROUND,
)
def add(call: Call[Nothing, Paper], connection: Any, tracking: str) -> Kept:
    """While it may be edited; ten files at the most, the same one once."""
    body = call.body
    utility = call.utility(body.utility)
    request = find(connection, utility, tracking).request
    counter = counter_of(call, utility)
    with in_words():
        made = add_document(
            connection, counter, request.tracking, body.name, b64decode(body.file, validate=True)
        )
    call.note(f"request:{request.tracking}", utility, file=made.name)
    return Kept(**_told(made))


@routes.route(
    "GET",
    _PATH,
    Permission.REQUEST_SEE,
    summary="List a request's papers",
    query=Whose,
    answers=KeptPapers,
    action="request.see",
)
def listed(call: Call[Whose, None], connection: Any, tracking: str) -> KeptPapers:
    """Without what is in them."""
    utility = call.utility(call.query.utility, "utility")
    request = find(connection, utility, tracking).request
    is_whole = call.sees_personal(utility)
    if is_whole:
        call.note(f"request:{request.tracking}", utility)
    found = [_told(each) for each in list_documents(connection, request.id)]
    return KeptPapers(
        items=[Kept(**(each if is_whole else {**each, "name": None})) for each in found]
    )


@routes.route(
    "GET",
    f"{_PATH}/<id:paper>",
    Permission.PERSONAL_SEE,
    summary="Take a paper out",
    query=Whose,
    answers=Whole,
    action="request.file",
)
def take_out(call: Call[Whose, None], connection: Any, tracking: str, paper: int) -> Whole:
    """With what is in it, in base64; for tokens with `request.see` as well."""
    utility = call.utility(call.query.utility, "utility")
    if not call.may(Permission.REQUEST_SEE, utility):
        raise not_found()
    request = find(connection, utility, tracking).request
    found = read_document(connection, request.id, paper)
    if found is None:
        raise not_found()
    document, content = found
    call.note(f"request:{request.tracking}", utility, file=document.name)
    return Whole(**_told(document), file=b64encode(content).decode())


def _told(document: Document) -> dict[str, Any]:
    return {
        "id": str(document.id),
        "name": document.name,
        "kind": document.kind,
        "size": document.size,
        "at": instant_of(document.at),
        "by": document.by,
    }
