"""Requests: registered, looked at, edited and decided by other systems (docs/requests.md)."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from core.access.permissions import Permission
from core.jalali import instant_of
from core.requests import box
from core.requests.box import Writing
from core.requests.browse import Listed, RequestFilter, list_requests
from core.requests.changes import announce_fee, edit, issue_voucher, move
from core.requests.counter import Counter, NewRequest, register
from core.requests.kinds import Door
from core.requests.rows import Request as Row
from core.requests.states import RequestState
from core.text import storable
from gateway.web.api.call import Call
from gateway.web.api.cursors import cut, place
from gateway.web.api.models import Page
from gateway.web.api.request_models import (
    Decide,
    Edit,
    Kinds,
    Message,
    Register,
    Request,
    Search,
    Step,
    Whole,
    Whose,
    Write,
)
from gateway.web.api.request_telling import (
    as_kind,
    counter_of,
    find,
    in_words,
    services_of,
    told,
    written,
)
from gateway.web.api.routes import Routes

routes = Routes("requests", "Requests")


@routes.route(
    "GET",
    "/requests/kinds",
    Permission.REQUEST_SEE,
    summary="The kinds of requests of a utility",
    query=Whose,
    answers=Kinds,
)
async def kinds(call: Call[Whose, None]) -> Kinds:
    """With what each asks for."""
    services = services_of(call, call.utility(call.query.utility, "utility"))
    return Kinds(items=[as_kind(each) for each in services.kinds.values()])


@routes.route(
    "POST",
    "/requests",
    Permission.REQUEST_REGISTER,
    summary="Register a request",
    body=Register,
    answers=Request,
    status=201,
    action="request.register",
    example={
        "kind": "complaint",
        "number": "100001",
        "mobile": "09131234567",
        "text": "آب کم‌فشار است",
        "office": "دفتر ۱",
    },
    problems=("conflict",),
)
def add(call: Call[Any, Register], connection: Any) -> Request:
    """Of an office where one is said, else of a portal. Its owner is told, as templates say."""
    body = call.body
    counter = counter_of(call, call.utility(body.utility))
    new = NewRequest(
        body.kind,
        body.number,
        body.mobile or "",
        body.fields,
        body.text,
        body.office,
        Door.COUNTER if body.office else Door.PORTAL,
    )
    with in_words():
        request = register(connection, counter, new)
    call.note(f"request:{request.tracking}", counter.utility, kind=body.kind)
    return told(call, counter.services, Listed(request, body.number or None))


@routes.route(
    "GET",
    "/requests",
    Permission.REQUEST_SEE,
    summary="List requests, the newest first",
    query=Search,
    answers=Page[Request],
    action="request.see",
    example={"state": "registered", "limit": 20},
)
def listed(call: Call[Search, None], connection: Any) -> Page[Request]:
    """Of one utility, or of every one that the token is for."""
    asked = call.query
    utility = None if asked.utility is None else call.utility(asked.utility, "utility")
    wanted = RequestFilter(
        utility=utility,
        utilities=call.scope,
        kind=asked.kind,
        state=asked.state,
        number=asked.number,
        mobile=asked.mobile,
        office=asked.office,
        before=place("requests", asked.cursor),
        limit=asked.limit + 1,
    )
    found = list_requests(connection, wanted)
    shown, following = cut("requests", found, asked.limit, attrgetter("request.id"))
    seen = [each.request.tracking for each in shown if call.sees_personal(each.request.utility)]
    if seen:
        call.note("requests", call.token.utility, shown=len(seen), first=seen[0], last=seen[-1])
    items = [told(call, services_of(call, each.request.utility), each) for each in shown]
    return Page(items=items, next=following)


@routes.route(
    "GET",
    "/requests/<tracking>",
    Permission.REQUEST_SEE,
    summary="One request with its history",
    query=Whose,
    answers=Whole,
    action="request.see",
)
def show(call: Call[Whose, None], connection: Any, tracking: str) -> Whole:
    """And its message box, for tokens that may write there."""
    utility = call.utility(call.query.utility, "utility")
    found = find(connection, utility, tracking)
    if call.sees_personal(utility):
        call.note(f"request:{found.request.tracking}", utility)
    notes = None
    if call.may(Permission.REQUEST_MESSAGE, utility):
        notes = [written(each) for each in box.read_box(connection, found.request.id)]
    request = told(call, services_of(call, utility), Listed(found.request, found.number))
    history = [
        Step(at=instant_of(each.at), state=each.state, by=each.by, note=each.note)
        for each in found.history
    ]
    return Whole(**request.model_dump(), history=history, messages=notes)


@routes.route(
    "PATCH",
    "/requests/<tracking>",
    Permission.REQUEST_EDIT,
    summary="Edit a request",
    body=Edit,
    answers=Request,
    action="request.edit",
    example={"text": "آب قطع است"},
    problems=("conflict",),
)
def change(call: Call[Any, Edit], connection: Any, tracking: str) -> Request:
    """Before the company is at work on it."""
    body = call.body
    return _change(call, connection, tracking, lambda counter: edit(
        connection, counter, tracking, body.fields, body.text, mobile=body.mobile
    ))  # fmt: skip


@routes.route(
    "POST",
    "/requests/<tracking>/state",
    Permission.REQUEST_DECIDE,
    summary="Put a request into another state",
    body=Decide,
    answers=Request,
    action="request.decide",
    example={"state": "in_review", "note": "کارشناس بازدید می‌کند"},
    problems=("conflict",),
)
def decide(call: Call[Any, Decide], connection: Any, tracking: str) -> Request:
    """With an amount, `fee_announced` tells the fee and `voucher_issued` makes its voucher."""
    body = call.body

    def work(counter: Counter) -> Row:
        if body.state is RequestState.VOUCHER_ISSUED:
            return issue_voucher(connection, counter, tracking, body.amount, body.account)
        if body.state is RequestState.FEE_ANNOUNCED and body.amount is not None:
            return announce_fee(connection, counter, tracking, body.amount, body.note)
        return move(connection, counter, tracking, body.state, storable(body.note).strip())

    return _change(call, connection, tracking, work, state=body.state.value)


@routes.route(
    "POST",
    "/requests/<tracking>/messages",
    Permission.REQUEST_MESSAGE,
    summary="Write to the other side",
    body=Write,
    answers=Message,
    status=201,
    action="request.message",
    example={"side": "office", "text": "مدارک فرستاده شد"},
    problems=("conflict",),
)
def write(call: Call[Any, Write], connection: Any, tracking: str) -> Message:
    """Between a counter office and the utility; nothing of it is told to the subscriber."""
    body = call.body
    counter = counter_of(call, call.utility(body.utility))
    with in_words():
        made = box.write(connection, counter, tracking, Writing(body.side, body.text))
    call.note(f"request:{tracking}", counter.utility, side=body.side.value)
    return written(made)


# --- underneath -----------------------------------------------------------------------


def _change(
    call: Call[Any, Any],
    connection: Any,
    tracking: str,
    work: Callable[[Counter], Row],
    **details: Any,
) -> Request:
    utility = call.utility(call.body.utility)
    counter = counter_of(call, utility, call.body.as_of)
    found = find(connection, utility, tracking)
    with in_words():
        request = work(counter)
    call.note(f"request:{request.tracking}", utility, **details)
    return told(call, counter.services, Listed(request, found.number))
