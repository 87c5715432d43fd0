"""The papers of a request: files that its office sends, and whoever may see them keeps."""

from __future__ import annotations

from typing import Any, Final

from core.access.permissions import Permission
from core.requests.counter import RequestError
from core.requests.documents import (
    MOST_BYTES,
    Document,
    add_document,
    file_name,
    read_document,
    remove_document,
)
from gateway.web.desk import counter_desk
from gateway.web.desk.counter_desk import entry_of, opened_for, put_mistake
from gateway.web.desk.refusals import Forbidden, NotFound
from gateway.web.desk.request_pages import request_page
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
# A path of its own: what is sent to other addresses of a request stays as small as a form.
_ROUTE: Final = "/request-files/<int:request_id>"
_ONE: Final = f"{_ROUTE}/<int:document_id>"
_AROUND: Final = 16 * 1024
"""Bytes of a form around its file."""


@routes.route("POST", _ROUTE, Permission.REQUEST_EDIT, most_body=MOST_BYTES + _AROUND)
async def add(visit: Visit, request_id: int) -> bytes:
    """Keep a file with a request that may still be edited."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_EDIT)
    request, form = opened.request, visit.form
    sent = form.upload("file", required=True)
    if sent is None:
        return await request_page(visit, opened, form, 422)

    def work(connection: Any) -> Any:
        counter = counter_desk.counter_of(visit, request.utility, opened.services)
        return add_document(connection, counter, request.tracking, sent.name, sent.content)

    entry = entry_of("request.file_add", request, file=file_name(sent.name))
    try:
        await visit.change(entry, work)
    except RequestError as error:
        put_mistake(form, error)
        return await request_page(visit, opened, form, 422)
    return visit.go(f"/requests/{request_id}", "requests.file_added")


@routes.route("GET", _ONE, Permission.REQUEST_SEE)
async def hand_out(visit: Visit, request_id: int, document_id: int) -> bytes:
    """The file, to be kept: it is never shown as a page of ours."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_SEE)
    found: tuple[Document, bytes] | None = await visit.read(
        "request.file", read_document, request_id, document_id
    )
    if found is None:
        raise NotFound
    document, content = found
    entry = entry_of("request.file", opened.request, file=document.name)
    if not await visit.sees_personal(entry):
        raise Forbidden("requests.files_are_personal")
    return visit.download(document.name, document.kind, content)


@routes.route("POST", f"{_ONE}/remove", Permission.REQUEST_EDIT)
async def remove(visit: Visit, request_id: int, document_id: int) -> bytes:
    """Take it off a request that may still be edited."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_EDIT)
    request = opened.request

    def work(connection: Any) -> None:
        counter = counter_desk.counter_of(visit, request.utility, opened.services)
        remove_document(connection, counter, request.tracking, document_id)

    try:
        await visit.change(entry_of("request.file_remove", request), work)
    except RequestError as error:
        put_mistake(visit.form, error)  # it is of no field: refused
    return visit.go(f"/requests/{request_id}", "requests.file_removed")
