"""What is sent for a message that came in: an answer by hand, or its operation once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.access.logins import LockedOut
from core.access.permissions import Permission
from core.handling import close
from core.manual import AnsweredMeanwhile, HandReply, store_reply
from core.trying import Again, Effect, Guess, Text, Tried, guarded, redo, rights_shown, work_on_text
from gateway.web.desk import boxes
from gateway.web.desk.forms import Form
from gateway.web.desk.inbox import (
    MOST_LETTERS,
    Opened,
    entry_of,
    message_page,
    mind_for,
    opened_for,
)
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
COUNT = "count"


@routes.route("POST", "/inbox/<int:message_id>/reply", Permission.INBOX_REPLY)
async def reply(visit: Visit, message_id: int) -> bytes:
    """Count what an answer would come to, or send it from the line that was texted."""
    opened = await opened_for(visit, message_id, Permission.INBOX_REPLY)
    mind, form = mind_for(opened), visit.form
    text = form.text("text", most=MOST_LETTERS, required=True)
    seen = form.number("answers", required=True)
    if not form.is_right:
        return await message_page(visit, opened, form, 422)
    counted = boxes.counted(visit, opened.received.line, mind, text)
    if form.raw("act") == COUNT:
        return await message_page(visit, opened, form, counted=counted)
    by, now = visit.user.name, visit.means.now_ms()
    hand = HandReply(opened.received, mind.parts(text), by, seen or 0)

    def work(connection: Any) -> None:
        store_reply(connection, visit.means.ids, hand, now)
        if form.tick("close"):
            close(connection, message_id, by, now)

    try:
        await visit.change(entry_of("inbox.reply", opened, parts=counted.parts), work)
    except AnsweredMeanwhile:
        raise Refusal(409, "inbox.answered_meanwhile") from None
    visit.means.on_queued()
    return visit.go(f"/inbox/{message_id}", "inbox.replied")


@routes.route("GET", "/inbox/<int:message_id>/redo", Permission.INBOX_REDO)
async def begin_redo(visit: Visit, message_id: int) -> bytes:
    """The text, to be run again as it is or put right."""
    opened = await opened_for(visit, message_id, Permission.INBOX_REDO)
    mind_for(opened)
    whole = await _sees_whole(visit, opened)
    form = visit.blank(text=opened.received.text if whole else "")
    return _page(visit, opened, form, whole=whole)


@routes.route("POST", "/inbox/<int:message_id>/redo", Permission.INBOX_REDO)
async def run_again(visit: Visit, message_id: int) -> bytes:
    """Show what running the message again would do; do it once that has been seen."""
    opened = await opened_for(visit, message_id, Permission.INBOX_REDO)
    form, whole = visit.form, await _sees_whole(visit, opened)
    said = form.text("text", most=MOST_LETTERS, required=whole)
    if not form.is_right:
        return _page(visit, opened, form, code=422, whole=whole)
    text = _text(visit, opened, said or opened.received.text)
    # What was shown is what is done: of the same text, and nothing was done in between.
    mark = f"{message_id} {opened.answers} {text.text}"
    seen = visit.means.keys.sign("redo", mark)
    if form.raw("seen") == seen:
        return await _do(visit, opened, text)
    try:
        tried, effects = await visit.means.transact(
            "desk.inbox.rehearse",
            guarded,
            Guess(visit.user.name, visit.address, text.now),
            work_on_text,
            visit.means.keys,
            visit.means.ids,
            text,
        )
    except LockedOut as locked:
        form.wrong("text", "inbox.locked", minutes=-(-locked.seconds // 60))
        return _page(visit, opened, form, code=422, whole=whole)
    form.fill(seen=seen)
    return _page(visit, opened, form, tried=tried, effects=effects, whole=whole)


async def _do(visit: Visit, opened: Opened, text: Text) -> bytes:
    means = visit.means

    def work(connection: Any) -> Tried:
        again = Again(text, visit.user.name, opened.answers)
        return redo(connection, means.keys, means.ids, again)

    try:
        await visit.change(entry_of("inbox.redo", opened), work)
    except AnsweredMeanwhile:
        raise Refusal(409, "inbox.answered_meanwhile") from None
    means.on_queued()
    return visit.go(f"/inbox/{opened.received.id}", "inbox.redone")


def _text(visit: Visit, opened: Opened, said: str) -> Text:
    received, mind = opened.received, mind_for(opened)
    return Text(
        mind,
        received.line,
        received.mobile,
        said,
        visit.means.now_ms(),
        received.id,
        rights_shown(received, mind),
    )


async def _sees_whole(visit: Visit, opened: Opened) -> bool:
    what = f"inbox:{opened.received.id}"
    return await boxes.sees_whole(visit, Permission.INBOX_SEE.value, what, opened.utility)


def _page(  # noqa: PLR0913 - what the page shows
    visit: Visit,
    opened: Opened,
    form: Form,
    *,
    code: int = 200,
    tried: Tried | None = None,
    effects: Sequence[Effect] = (),
    whole: bool,
) -> bytes:
    return visit.page(
        "inbox_redo.html",
        code=code,
        form=form,
        row=opened.received,
        tried=tried,
        effects=effects,
        whole=whole,
    )
