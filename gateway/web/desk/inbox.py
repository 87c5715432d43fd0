"""The inbox: what came in, each message within all that passed with its mobile, and handling."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.access.users import User, list_users
from core.box_filters import InboxFilter
from core.browse import Received, find_received, list_inbox
from core.calls import DONE, Misreading, Refusal
from core.conversations import Conversation, Place, conversation, names_in
from core.handling import UNTOUCHED, Handling, assign, close, handlings_of, reopen, write_note
from core.inbox import ANSWERED, INCOMPLETE, SET_ASIDE, UNANSWERABLE
from core.manual import count_by_hand
from core.text import normalise
from gateway.minds import LineMind
from gateway.web.desk import boxes
from gateway.web.desk.boxes import Counted
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.refusals import Refusal as Refused
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
STATES: Final = (ANSWERED, SET_ASIDE, INCOMPLETE, UNANSWERABLE)
HANDLED: Final = ("open", "closed", "mine")
OUTCOMES: Final = (DONE, *(each.value for each in Refusal), *(each.value for each in Misreading))
MOST_LETTERS: Final = 1000


class Opened(NamedTuple):
    """A message that the visitor may see, and what stands around it."""

    received: Received
    utility: str | None
    handling: Handling
    answers: int
    """By hand."""
    mind: LineMind | None
    """None where no answer could go out from its line."""


@routes.route("GET", "/inbox", Permission.INBOX_SEE)
async def show(visit: Visit) -> bytes:
    """The newest messages that are asked for."""
    form = visit.query
    asked = boxes.asked_of(visit, form, Permission.INBOX_SEE)
    handled = form.choice("handled", HANDLED, required=False)
    wanted = InboxFilter(
        **asked.fields,
        text=normalise(form.text("text", most=100)) or None,
        operation=form.choice("operation", boxes.operations(), required=False) or None,
        outcome=form.choice("outcome", OUTCOMES, required=False) or None,
        state=form.choice("state", STATES, required=False) or None,
        open=None if handled in ("", "mine") else handled == "open",
        assigned_to=visit.user.id if handled == "mine" else None,
        before=form.row_id("before"),
        limit=LIMIT,
    )
    rows, handlings, names = [], {}, set[str]()
    if form.is_right:
        rows, handlings, names = await visit.read("inbox", _listed, wanted)
    return visit.page(
        "inbox.html",
        code=200 if form.is_right else 422,
        form=form,
        handlings=handlings,
        untouched=UNTOUCHED,
        names=names,
        recent=asked.recent,
        most_days=boxes.MOST_DAYS,
        lines=boxes.texted_lines(visit, Permission.INBOX_SEE),
        operations=boxes.operations(),
        outcomes=OUTCOMES,
        states=STATES,
        handled=HANDLED,
        **paged(rows),
    )


@routes.route("GET", "/inbox/<int:message_id>", Permission.INBOX_SEE)
async def show_one(visit: Visit, message_id: int) -> bytes:
    """A message within all that passed with its mobile."""
    opened = await opened_for(visit, message_id, Permission.INBOX_SEE)
    return await message_page(visit, opened, visit.blank())


@routes.route("POST", "/inbox/<int:message_id>/close", Permission.INBOX_ASSIGN)
async def close_one(visit: Visit, message_id: int) -> bytes:
    """Nothing is left to be done about it."""
    opened = await opened_for(visit, message_id, Permission.INBOX_ASSIGN)
    now = visit.means.now_ms()
    await visit.change(entry_of("inbox.close", opened), close, message_id, visit.user.name, now)
    return visit.go(f"/inbox/{message_id}", "inbox.closed")


@routes.route("POST", "/inbox/<int:message_id>/reopen", Permission.INBOX_ASSIGN)
async def reopen_one(visit: Visit, message_id: int) -> bytes:
    """Something is left to be done after all."""
    opened = await opened_for(visit, message_id, Permission.INBOX_ASSIGN)
    entry = entry_of("inbox.reopen", opened)
    await visit.change(entry, reopen, message_id, visit.means.now_ms())
    return visit.go(f"/inbox/{message_id}", "inbox.reopened")


@routes.route("POST", "/inbox/<int:message_id>/assign", Permission.INBOX_ASSIGN)
async def assign_one(visit: Visit, message_id: int) -> bytes:
    """Say whose it is to look after, and keep a note."""
    opened = await opened_for(visit, message_id, Permission.INBOX_ASSIGN)
    form = visit.form
    people = {str(user.id): user for user in await _people(visit, opened.utility)}
    chosen = form.choice("assigned", people, required=False)
    note = form.text("note", most=1000)
    if not form.is_right:
        return await message_page(visit, opened, form, 422)
    now = visit.means.now_ms()
    whom = people[chosen].id if chosen else None
    entries = []
    if whom != opened.handling.assigned_to:
        told = {"to": people[chosen].name if chosen else ""}
        entries.append(entry_of("inbox.assign", opened, **told))
    if note != opened.handling.note:
        entries.append(entry_of("inbox.note", opened))

    def work(connection: Any) -> None:
        assign(connection, message_id, whom, now)
        write_note(connection, message_id, note, now)

    if entries:
        await visit.change(entries, work)
    return visit.go(f"/inbox/{message_id}", "inbox.assigned")


# --- what other pages about a message need ------------------------------------------------


async def opened_for(visit: Visit, message_id: int, permission: Permission) -> Opened:
    """The message, if the visitor may do that with it. Raises ``NotFound``."""
    found = await visit.read("inbox.message", _opened, message_id)
    if found is None:
        raise NotFound
    received, handling, answers = found
    utility = visit.means.utility_of(received.line)
    visit.check(permission, utility)
    can_answer = received.state != UNANSWERABLE
    mind = visit.means.minds.get(received.line) if can_answer else None
    return Opened(received, utility, handling, answers, mind)


def entry_of(action: str, opened: Opened, **details: Any) -> Entry:
    """What the audit log tells of something that was done to a message."""
    return Entry(action, f"inbox:{opened.received.id}", opened.utility or "", details)


def mind_for(opened: Opened) -> LineMind:
    """What speaks for its line. Raises ``Refusal`` where no answer can go out."""
    if opened.mind is None:
        raise Refused(409, "inbox.no_answer")
    return opened.mind


async def message_page(
    visit: Visit, opened: Opened, form: Form, code: int = 200, *, counted: Counted | None = None
) -> bytes:
    """The page of a message, with a form that may have mistakes in it."""
    received, handling = opened.received, opened.handling
    action, what = Permission.INBOX_SEE.value, f"inbox:{received.id}"
    whole = await boxes.sees_whole(visit, action, what, opened.utility)
    place = Place(
        received.mobile,
        boxes.lines_of(visit, Permission.INBOX_SEE),
        visit.utilities(Permission.INBOX_SEE),
        visit.query.row_id("before"),
    )
    talk: Conversation = await visit.read("conversation", conversation, place)
    may_assign = visit.may(Permission.INBOX_ASSIGN, opened.utility)
    people = await _people(visit, opened.utility) if may_assign else []
    if "note" not in form.names:
        form.fill(assigned=handling.assigned_to, note=handling.note)
    return visit.page(
        "inbox_message.html",
        code=code,
        form=form,
        row=received,
        opened=opened,
        handling=handling,
        talk=talk,
        whole=whole,
        people=[(each.id, each.title or each.name) for each in people],
        counted=counted,
        utility=opened.utility,
    )


async def _people(visit: Visit, utility: str | None) -> list[User]:
    """Who may look after a message: those who see it."""
    everybody: list[User] = list(await visit.read("users", list_users))
    return [
        user
        for user in everybody
        if user.disabled_at is None
        and (
            user.grants.may(Permission.INBOX_SEE, utility)
            if utility
            else user.grants.scope(Permission.INBOX_SEE) is None
        )
    ]


def _listed(
    connection: Any, wanted: InboxFilter
) -> tuple[list[Received], dict[int, Handling], set[str]]:
    rows = list_inbox(connection, wanted)
    return rows, handlings_of(connection, [row.id for row in rows]), names_in(connection, rows)


def _opened(connection: Any, message_id: int) -> tuple[Received, Handling, int] | None:
    received = find_received(connection, message_id)
    if received is None:
        return None
    handling = handlings_of(connection, [message_id]).get(message_id, UNTOUCHED)
    return received, handling, count_by_hand(connection, message_id)
