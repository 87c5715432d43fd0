"""The outbox: what goes out, how often it was tried, sending again and giving up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater

from core.access.audit import Entry
from core.access.permissions import Permission
from core.box_filters import OutboxFilter
from core.browse import Message, list_outbox
from core.conversations import names_in
from core.manual import ByHand, by_hand
from core.outbox import State
from core.resend import CANCELLABLE, RESENDABLE, Act, cancel, matching, pieces, resend
from core.state_groups import CHOICES
from core.told import show_with_history
from gateway.web.desk import boxes
from gateway.web.desk.boxes import Asked
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

reactor: Any = _reactor
routes = Routes()
MOST: Final = 20_000
"""Messages that are acted on at once from here; a command does more."""
_BREATH: Final = 0.02
"""Seconds between pieces: whatever else is written has its turn."""


class Action(NamedTuple):
    """What is done to messages."""

    verb: str
    needs: Permission
    act: Act
    states: Collection[State]
    """Those of parts that it is done to."""


RESEND: Final = Action("resend", Permission.OUTBOX_RESEND, resend, RESENDABLE)
CANCEL: Final = Action("cancel", Permission.OUTBOX_CANCEL, cancel, CANCELLABLE)


@routes.route("GET", "/outbox", Permission.OUTBOX_SEE)
async def show(visit: Visit) -> bytes:
    """The newest messages that are asked for."""
    form = visit.query
    asked = _asked(visit, form, Permission.OUTBOX_SEE)
    before = form.row_id("before")
    wanted = OutboxFilter(**asked.fields, before=before, limit=LIMIT)
    rows, names = [], set[str]()
    if form.is_right:
        rows, names = await visit.read("outbox", _listed, wanted)
    return visit.page(
        "outbox.html",
        code=200 if form.is_right else 422,
        form=form,
        names=names,
        recent=asked.recent,
        most_days=boxes.MOST_DAYS,
        lines=boxes.texted_lines(visit, Permission.OUTBOX_SEE),
        states=boxes.states(),
        filter=_filter_of(form),
        **paged(rows),
    )


@routes.route("GET", "/outbox/<int:message_id>", Permission.OUTBOX_SEE)
async def show_one(visit: Visit, message_id: int) -> bytes:
    """One message with every attempt to send it."""
    message, history, names, hand = await _opened(visit, message_id, Permission.OUTBOX_SEE)
    utility = visit.means.utility_of(message.line)
    what = f"outbox:{message.id}"
    whole = await boxes.sees_whole(visit, Permission.OUTBOX_SEE.value, what, utility)
    states = {part.state for part in message.parts}
    return visit.page(
        "outbox_message.html",
        row=message,
        history=history,
        names=names,
        hand=hand,
        whole=whole,
        utility=utility,
        can_resend=not states.isdisjoint(RESENDABLE),
        can_cancel=not states.isdisjoint(CANCELLABLE),
    )


@routes.route("POST", "/outbox/<int:message_id>/resend", Permission.OUTBOX_RESEND)
async def resend_one(visit: Visit, message_id: int) -> bytes:
    """Queue its parts that failed again."""
    return await _act_on(visit, RESEND, message_id)


@routes.route("POST", "/outbox/<int:message_id>/cancel", Permission.OUTBOX_CANCEL)
async def cancel_one(visit: Visit, message_id: int) -> bytes:
    """Give up on its parts that have not left."""
    return await _act_on(visit, CANCEL, message_id)


@routes.route("GET", "/outbox/resend", Permission.OUTBOX_RESEND)
async def count_resend(visit: Visit) -> bytes:
    """How many messages would be queued again."""
    return await _count(visit, RESEND)


@routes.route("POST", "/outbox/resend", Permission.OUTBOX_RESEND)
async def resend_all(visit: Visit) -> bytes:
    """Queue all again that the filter finds."""
    return await _act_on_all(visit, RESEND)


@routes.route("GET", "/outbox/cancel", Permission.OUTBOX_CANCEL)
async def count_cancel(visit: Visit) -> bytes:
    """How many messages would be given up."""
    return await _count(visit, CANCEL)


@routes.route("POST", "/outbox/cancel", Permission.OUTBOX_CANCEL)
async def cancel_all(visit: Visit) -> bytes:
    """Give up on all that the filter finds."""
    return await _act_on_all(visit, CANCEL)


# --- one -----------------------------------------------------------------------------------


async def _opened(
    visit: Visit, message_id: int, permission: Permission
) -> tuple[Message, Any, set[str], ByHand | None]:
    found = await visit.read("outbox.message", _found, message_id)
    if found is None:
        raise NotFound
    visit.check(permission, visit.means.utility_of(found[0].line))
    return found  # type: ignore[no-any-return]


async def _act_on(visit: Visit, action: Action, message_id: int) -> bytes:
    message, *_ = await _opened(visit, message_id, action.needs)
    now = visit.means.now_ms()
    utility = visit.means.utility_of(message.line)

    def work(connection: Any) -> None:
        if not action.act(connection, [message.id], now).done:
            raise Refusal(409, f"outbox.cannot_{action.verb}")

    entry = Entry(f"outbox.{action.verb}", f"outbox:{message.id}", utility or "")
    await visit.change(entry, work)
    visit.means.on_queued()
    return visit.go(f"/outbox/{message.id}", f"outbox.done_{action.verb}", count=1)


# --- all that a filter finds -----------------------------------------------------------------


async def _matching(visit: Visit, action: Action) -> list[int] | None:
    """Ids of what the filter of the address finds; None for one with mistakes."""
    asked = _asked(visit, visit.query, action.needs)
    if not visit.query.is_right:
        return None
    wanted = OutboxFilter(**asked.fields, limit=MOST + 1)
    ids: list[int] = await visit.read("outbox.count", matching, wanted, action.states)
    return ids


async def _count(visit: Visit, action: Action) -> bytes:
    ids = await _matching(visit, action)
    if ids is None:
        return visit.go(f"/outbox?{_filter_of(visit.query)}")
    return visit.page(
        "outbox_all.html",
        verb=action.verb,
        count=len(ids),
        most=MOST,
        filter=_filter_of(visit.query),
    )


async def _act_on_all(visit: Visit, action: Action) -> bytes:
    ids = await _matching(visit, action)
    if ids is None or len(ids) > MOST:
        return await _count(visit, action)
    done = 0
    told = {name: visit.query.raw(name) for name in _FIELDS if visit.query.raw(name)}
    told.pop("mobile", None)
    utilities = visit.utilities(action.needs)
    for first, piece in enumerate(pieces(ids)):
        act = (action.act, piece, visit.means.now_ms())
        if first == 0:
            utility = next(iter(utilities)) if len(utilities) == 1 else ""
            entry = Entry(
                f"outbox.{action.verb}", "outbox:filter", utility, {**told, "count": len(ids)}
            )
            acted = await visit.change(entry, *act)
        else:
            await deferLater(reactor, _BREATH)
            acted = await visit.means.transact(f"desk.outbox.{action.verb}", *act)
        done += len(acted.done)
        visit.means.on_queued()
    filter_ = _filter_of(visit.query)
    return visit.go(f"/outbox?{filter_}", f"outbox.done_{action.verb}", count=done)


# --- what is asked for ---------------------------------------------------------------------

_FIELDS: Final = (
    "mobile", "subscription", "line", "state", "template", "run", "since", "until",
)  # fmt: skip


def _asked(visit: Visit, form: Form, permission: Permission) -> Asked:
    asked = boxes.asked_of(visit, form, permission)
    run = form.row_id("run")
    fields = asked.fields | {
        "state": form.choice("state", CHOICES, required=False) or None,
        "template": form.text("template", most=100) or None,
        "run": run,
    }
    if run is not None and not form.raw("since"):
        return Asked(fields | {"since": None}, recent=False)
    return Asked(fields, asked.recent)


def _filter_of(form: Form) -> str:
    """The filter as an address has it."""
    return urlencode({name: form.raw(name) for name in _FIELDS if form.raw(name)})


def _listed(connection: Any, wanted: OutboxFilter) -> tuple[list[Message], set[str]]:
    rows = list_outbox(connection, wanted)
    return rows, names_in(connection, rows)


def _found(connection: Any, message_id: int) -> Any:
    found = show_with_history(connection, message_id)
    if found is None:
        return None
    message, history = found
    hand = by_hand(connection, [message.id]).get(message.id)
    return message, history, names_in(connection, [message]), hand
