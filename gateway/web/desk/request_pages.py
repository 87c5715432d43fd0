"""Requests: those that are searched for, one with all that was done with it, its receipt."""

from __future__ import annotations

from typing import Any

from core.access.permissions import Permission
from core.particulars import load_particulars
from core.requests.box import note_seen, read_box, unseen_of
from core.requests.browse import Listed, RequestFilter, list_requests
from core.requests.counter import RequestError, check_tracking
from core.requests.documents import MOST_BYTES, MOST_FILES, list_documents
from core.requests.kinds import titled
from core.requests.states import RequestState
from core.text import ascii_digits
from gateway.web.desk import counter_desk
from gateway.web.desk.counter_desk import Opened, opened_for
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.periods import period
from gateway.web.desk.routes import Routes
from gateway.web.desk.texts import ENGLISH
from gateway.web.desk.visit import Visit
from gateway.web.desk.waiting import reader_of

routes = Routes()
STATES = tuple(state.value for state in RequestState)


@routes.route("GET", "/requests", Permission.REQUEST_SEE)
async def show(visit: Visit) -> bytes:
    """The newest requests that are asked for; an office sees its own."""
    form, office = visit.query, visit.user.office
    every = counter_desk.all_services(visit, Permission.REQUEST_SEE)
    english = visit.language == ENGLISH
    kinds = {
        key: titled(kind, english=english)
        for each in every.values()
        for key, kind in each.kinds.items()
    }
    since, until = period(form)
    tracking = _tracking(form)
    wanted = RequestFilter(
        utility=form.choice("utility", every, required=False) or None,
        # Of each utility by its name: a tracking number is looked up by both.
        utilities=frozenset(every) if tracking else visit.scope(Permission.REQUEST_SEE),
        tracking=tracking,
        kind=form.choice("kind", kinds, required=False) or None,
        state=RequestState(form.raw("state"))
        if form.choice("state", STATES, required=False)
        else None,
        number=ascii_digits(form.text("number", most=40)) or None,
        mobile=form.mobile("mobile"),
        office=office or form.text("office", most=100) or None,
        editable=form.tick("editable"),
        since=since,
        until=until,
        before=form.row_id("before"),
        limit=LIMIT,
    )
    rows: list[Listed] = []
    unseen: dict[int, int] = {}
    if form.is_right:
        rows, unseen = await visit.read("requests", _listed, wanted, reader_of(visit))
    return visit.page(
        "requests.html",
        code=200 if form.is_right else 422,
        form=form,
        unseen=unseen,
        services=every,
        utilities=visit.utilities(Permission.REQUEST_SEE),
        kinds=sorted(kinds.items(), key=lambda pair: pair[1]),
        states=STATES,
        **paged(rows),
    )


@routes.route("GET", "/requests/<int:request_id>", Permission.REQUEST_SEE)
async def show_one(visit: Visit, request_id: int) -> bytes:
    """A request with its fields, its fee, its history and its message box."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_SEE)
    return await request_page(visit, opened, visit.blank())


@routes.route("GET", "/requests/<int:request_id>/print", Permission.REQUEST_SEE)
async def show_receipt(visit: Visit, request_id: int) -> bytes:
    """What the applicant takes home: the tracking number, what was asked for, what comes next."""
    opened = await opened_for(visit, request_id, Permission.REQUEST_SEE)
    whole = await counter_desk.sees_whole(visit, opened.request)
    return visit.page(
        "request_receipt.html",
        opened=opened,
        request=opened.request,
        whole=whole,
        person=await _person(visit, opened),
        utility=visit.means.utilities[opened.request.utility],
        follow=_followed(visit, opened),
    )


# --- what other pages about a request need -------------------------------------------------


async def request_page(visit: Visit, opened: Opened, form: Form, code: int = 200) -> bytes:
    """The page of a request, with a form that may have mistakes in it."""
    request = opened.request
    whole = await counter_desk.sees_whole(visit, request)
    side = counter_desk.side_of(visit, request)
    messages = await visit.read("request.box", read_box, request.id)
    documents = await visit.read("request.files", list_documents, request.id)
    if side is not None and any(m.side != side and m.seen_at is None for m in messages):
        await visit.means.transact(
            "desk.request.seen", note_seen, request.id, side, messages[-1].id, visit.means.now_ms()
        )
    return visit.page(
        "request.html",
        code=code,
        form=form,
        opened=opened,
        request=request,
        whole=whole,
        person=await _person(visit, opened),
        side=side,
        messages=messages,
        documents=documents,
        most_mib=MOST_BYTES // 1024 // 1024,
        most_files=MOST_FILES,
        utility=visit.means.utilities[request.utility],
    )


# --- help ----------------------------------------------------------------------------------


def _tracking(form: Form) -> str | None:
    said = form.text("tracking", most=40)
    if not said:
        return None
    try:
        return check_tracking(said)
    except RequestError as error:
        counter_desk.put_mistake(form, error)
        return None


async def _person(visit: Visit, opened: Opened) -> str:
    """The name of whose subscription it is; "" for none."""
    subscriber_id = opened.request.subscriber_id
    if subscriber_id is None:
        return ""
    found = await visit.read("request.person", load_particulars, [subscriber_id])
    return found[subscriber_id].name if subscriber_id in found else ""


def _followed(visit: Visit, opened: Opened) -> dict[str, str]:
    """The text by which a request is followed, and the line that it goes to; {} where by none."""
    request = opened.request
    for line, mind in visit.means.minds.items():
        if mind.profile.utility != request.utility:
            continue
        for pattern in mind.profile.grammar.patterns:
            if pattern.operation == "track_request":
                name = next(iter((*pattern.keywords, *pattern.codes)))
                return {"text": f"{name} {request.tracking}", "line": line}
    return {}


def _listed(
    connection: Any, wanted: RequestFilter, reader: Any
) -> tuple[list[Listed], dict[int, int]]:
    rows = list_requests(connection, wanted)
    ids = [row.request.id for row in rows] if reader else []
    return rows, unseen_of(connection, reader.side, ids) if reader else {}
