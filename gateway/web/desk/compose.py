"""A new message: to one mobile, or to the mobiles of a subscription, on a line of the utility."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.identity import load_subscribers
from core.new_messages import AlreadySent, NewMessage, NobodyWantsIt, send, unwanted
from core.subscribers.records import contacts_of
from core.text import ascii_digits
from gateway.minds import LineMind
from gateway.web.desk import boxes
from gateway.web.desk.boxes import Counted
from gateway.web.desk.forms import Form
from gateway.web.desk.inbox import MOST_LETTERS, opened_for
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.subscriber_pages import known_for
from gateway.web.desk.visit import Visit

routes = Routes()
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")


class Target(NamedTuple):
    """Whom a form is about that was opened from a subscriber's page, or from a conversation."""

    field: str
    """``subscriber`` or ``inbox``; "" where whom it goes to is typed."""
    id: int
    utility: str | None
    """Whose lines it may go out from; None: any that the visitor may send from."""
    mobiles: Sequence[str]


class Draft(NamedTuple):
    """A message that could be sent."""

    line: str
    mind: LineMind
    mobiles: Sequence[str]
    subscriber_id: int | None
    text: str
    counted: Counted
    """Of each message."""
    unwanted: frozenset[str]
    """Those of the mobiles that get none."""

    @property
    def wanted(self) -> int:
        """How many messages go out."""
        return len(self.mobiles) - len(self.unwanted)


@routes.route("GET", "/messages/new", Permission.MESSAGE_SEND)
async def begin(visit: Visit) -> bytes:
    """An empty form."""
    target = await _target(visit, visit.query)
    return _page(visit, visit.blank(form=secrets.token_urlsafe(16)), target)


@routes.route("POST", "/messages/new", Permission.MESSAGE_SEND)
async def compose(visit: Visit) -> bytes:
    """Show whom it goes to, its parts and what they cost; send it once that has been seen."""
    form = visit.form
    target = await _target(visit, form)
    draft = await _draft(visit, form, target)
    if not _FORM.fullmatch(form.raw("form")):
        raise Refusal(400)
    if draft is None or not form.is_right:
        return _page(visit, form, target, code=422)
    mark = "\n".join((form.raw("form"), draft.line, *draft.mobiles, draft.text))
    seen = visit.means.keys.sign("compose", mark)
    if form.raw("act") != "send" or form.raw("seen") != seen:
        form.fill(seen=seen)
        return _page(visit, form, target, draft=draft)
    return await _send(visit, form, draft)


# --- help -----------------------------------------------------------------------------------


async def _target(visit: Visit, form: Form) -> Target:
    """Whom the form is about. Raises ``NotFound`` for whom the visitor may not know of."""
    subscriber, inbox = form.row_id("subscriber"), form.row_id("inbox")
    if subscriber is not None:
        detail = await known_for(visit, subscriber, Permission.MESSAGE_SEND)
        visit.check(Permission.SUBSCRIBER_SEE, detail.utility)
        known = await visit.read("compose.contacts", contacts_of, detail.id)
        return Target("subscriber", detail.id, detail.utility, [each.mobile for each in known])
    if inbox is not None:
        opened = await opened_for(visit, inbox, Permission.INBOX_SEE)
        visit.check(Permission.MESSAGE_SEND, opened.utility)
        return Target("inbox", inbox, opened.utility, [opened.received.mobile])
    return Target("", 0, None, ())


def _lines(visit: Visit, target: Target) -> list[str]:
    lines = boxes.texted_lines(visit, Permission.MESSAGE_SEND)
    if target.utility is None:
        return lines
    return [line for line in lines if visit.means.minds[line].utility == target.utility]


async def _draft(visit: Visit, form: Form, target: Target) -> Draft | None:
    """What was written; None, with what is wrong in the form."""
    line = form.choice("line", _lines(visit, target))
    text = form.text("text", most=MOST_LETTERS, required=True)
    mobiles, subscriber_id = list(target.mobiles), None
    if target.field == "subscriber":
        subscriber_id = target.id
    elif not target.field and line:
        mobiles, subscriber_id = await _typed(visit, form, visit.means.minds[line].utility)
    if target.field and not mobiles:
        form.wrong("text", "compose.no_mobiles")
    if not line or not text or not form.is_right:
        return None
    mind = visit.means.minds[line]
    no = await visit.read("compose.unwanted", unwanted, mind.utility, mobiles)
    counted = boxes.counted(visit, line, mind, text)
    return Draft(line, mind, mobiles, subscriber_id, text, counted, no)


async def _typed(visit: Visit, form: Form, utility: str) -> tuple[list[str], int | None]:
    """The mobile that was typed, or those of the subscription that was."""
    mobile = form.mobile("mobile")
    number = ascii_digits(form.text("subscription", most=40))
    if mobile and number:
        form.wrong("subscription", "compose.one_of_both")
    elif not mobile and not number and "mobile" not in form.errors:
        form.wrong("mobile", "compose.whom")
    if not form.is_right or not number:
        return [mobile] if mobile else [], None
    visit.check(Permission.MESSAGE_SEND, utility)
    found = await visit.read("compose.subscriber", load_subscribers, [(utility, number)])
    subscriber = found.get((utility, number))
    known = []
    if subscriber is not None:
        known = await visit.read("compose.contacts", contacts_of, subscriber.id)
    if not known:
        # One answer for both: who may not see subscribers does not learn which there are.
        form.wrong("subscription", "compose.no_mobiles")
        return [], None
    return [each.mobile for each in known], subscriber.id


async def _send(visit: Visit, form: Form, draft: Draft) -> bytes:
    means = visit.means
    new = NewMessage(
        draft.mind.utility,
        draft.line,
        draft.mobiles,
        draft.mind.parts(draft.text),
        draft.subscriber_id,
        visit.user.name,
        form.raw("form"),
        means.now_ms(),
    )
    about = f"subscriber:{draft.subscriber_id}" if draft.subscriber_id else f"line:{draft.line}"
    told: dict[str, Any] = {"line": draft.line, "parts": draft.counted.parts}

    def work(connection: Any) -> list[int]:
        made = send(connection, means.ids, new)
        told["messages"] = [f"outbox:{each}" for each in made]
        return made

    try:
        made = await visit.change(Entry("message.send", about, new.utility, told), work)
    except AlreadySent as before:
        return _sent(visit, new.utility, before.outbox_id, 0)
    except NobodyWantsIt:
        raise Refusal(409, "compose.nobody_wants") from None
    means.on_queued()
    return _sent(visit, new.utility, made[0], len(made))


def _sent(visit: Visit, utility: str, outbox_id: int, count: int) -> bytes:
    """Where the message can be followed; ``count`` 0: it was sent before."""
    follows = visit.may(Permission.OUTBOX_SEE, utility)
    path = f"/outbox/{outbox_id}" if follows else "/messages/new"
    if not count:
        return visit.go(path, "compose.sent_before", kind="warn")
    return visit.go(path, "compose.sent", count=count)


def _page(
    visit: Visit, form: Form, target: Target, *, draft: Draft | None = None, code: int = 200
) -> bytes:
    return visit.page(
        "compose.html",
        code=code,
        form=form,
        target=target,
        draft=draft,
        lines=_lines(visit, target),
        most=MOST_LETTERS,
        minds=visit.means.minds,
    )
