"""What is done with a request: its state, its fee, giving it up, writing about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import Permission
from core.requests.box import LONGEST, Side, Writing, list_boxes, write
from core.requests.changes import announce_fee, issue_voucher, move
from core.requests.counter import RequestError
from core.requests.states import RequestState
from gateway.web.desk import counter_desk
from gateway.web.desk.counter_desk import Opened, entry_of, opened_for, put_mistake
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.request_pages import request_page
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit
from gateway.web.desk.waiting import reader_of

routes = Routes()
_ROUTE: Final = "/requests/<int:request_id>"
_MOST_NOTE: Final = 500


@routes.route("GET", "/box", Permission.REQUEST_MESSAGE)
async def show_box(visit: Visit) -> bytes:
    """What offices and the utility wrote to each other: what nobody has read yet, or all."""
    form, reader = visit.query, reader_of(visit)
    every = form.choice("which", ("all",), required=False)
    before = form.row_id("before")
    boxes = []
    if reader is not None and form.is_right:

        def work(connection: Any) -> list[Any]:
            return list_boxes(connection, reader, only_unseen=not every, before=before, limit=LIMIT)

        boxes = await visit.read("box", work)
    return visit.page(
        "request_boxes.html",
        code=200 if form.is_right else 422,
        form=form,
        reader=reader,
        services=counter_desk.all_services(visit, Permission.REQUEST_MESSAGE),
        **paged(boxes),
    )


@routes.route("POST", f"{_ROUTE}/message", Permission.REQUEST_MESSAGE)
async def add_message(visit: Visit, request_id: int) -> bytes:
    """Write to the other side."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_MESSAGE)
    side: Side | None = counter_desk.side_of(visit, opened.request)
    if side is None:
        raise NotFound
    form = visit.form
    words = form.text("message", most=LONGEST, required=True)
    after = form.row_id("after")
    if not form.is_right:
        return await request_page(visit, opened, form, 422)

    def work(connection: Any) -> Any:
        counter = _counter(visit, opened)
        new = Writing(side, words, after or 0)
        return write(connection, counter, opened.request.tracking, new)

    entry = entry_of("request.message", opened.request)
    return await _done(visit, opened, entry, work, "written", text="message")


@routes.route("POST", f"{_ROUTE}/cancel", Permission.REQUEST_EDIT)
async def cancel(visit: Visit, request_id: int) -> bytes:
    """Give it up for who asked for it."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_EDIT)
    note = visit.form.text("cancel_note", most=_MOST_NOTE)
    if not visit.form.is_right:
        return await request_page(visit, opened, visit.form, 422)
    return await _moved(visit, opened, RequestState.CANCELLED, note, "request.cancel")


@routes.route("POST", f"{_ROUTE}/state", Permission.REQUEST_DECIDE)
async def decide(visit: Visit, request_id: int) -> bytes:
    """Put it into another state; the note is told to who asked for it."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_DECIDE)
    form = visit.form
    state = form.choice("state", opened.next_states)
    note = form.text("note", most=_MOST_NOTE)
    if not form.is_right:
        return await request_page(visit, opened, form, 422)
    return await _moved(visit, opened, RequestState(state), note, "request.decide")


@routes.route("POST", f"{_ROUTE}/fee", Permission.REQUEST_DECIDE)
async def tell_fee(visit: Visit, request_id: int) -> bytes:
    """Tell what it costs, or issue the voucher by which that is paid."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_DECIDE)
    form, request = visit.form, opened.request
    amount = form.number("amount", least=1, most=10**12, required=True)
    account = form.text("account", most=40)
    act = form.choice("act", ("voucher", "announce"))
    if not form.is_right or amount is None:
        return await request_page(visit, opened, form, 422)

    def work(connection: Any) -> Any:
        counter = _counter(visit, opened)
        if act == "announce":
            return announce_fee(connection, counter, request.tracking, amount)
        return issue_voucher(connection, counter, request.tracking, amount, account)

    entry = entry_of("request.fee", request, act=act, amount=amount)
    return await _done(visit, opened, entry, work, f"{act}_done")


# --- help ----------------------------------------------------------------------------------


def _counter(visit: Visit, opened: Opened, as_of: int | None = None) -> Any:
    return counter_desk.counter_of(visit, opened.request.utility, opened.services, as_of)


async def _moved(
    visit: Visit, opened: Opened, state: RequestState, note: str, action: str
) -> bytes:
    request = opened.request
    as_of = visit.form.row_id("as_of")

    def work(connection: Any) -> Any:
        counter = _counter(visit, opened, as_of or 0)
        return move(connection, counter, request.tracking, state, note)

    entry = entry_of(action, request, state=state.value)
    place = "cancel_note" if action == "request.cancel" else "state"
    return await _done(visit, opened, entry, work, "moved", state=place)


async def _done(
    visit: Visit,
    opened: Opened,
    entry: Entry,
    work: Callable[[Any], Any],
    flash: str,
    **places: str,
) -> bytes:
    """Do it, and show the request as it is then; what cannot be done is said beside its field.

    ``places``: the form's names of what a mistake calls otherwise.
    """
    try:
        await visit.change(entry, work)
    except RequestError as error:
        form: Form = visit.form
        put_mistake(form, error, places)
        return await request_page(visit, opened, form, 422)
    return visit.go(f"/requests/{opened.request.id}", f"requests.{flash}")
