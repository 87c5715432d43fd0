"""Messages in: what subscribers texted, what was understood and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.access.permissions import Permission
from core.box_filters import InboxFilter
from core.browse import Received, find_received, list_inbox
from core.conversations import names_in
from core.jalali import instant_of, milliseconds
from core.text import normalise
from gateway.web.api import masking
from gateway.web.api.call import Call
from gateway.web.api.cursors import cut, place
from gateway.web.api.messages import DAY_MS, MOST_DAYS
from gateway.web.api.models import (
    At,
    Id,
    Mobile,
    Model,
    Nothing,
    Number,
    Page,
    Paging,
    When,
)
from gateway.web.api.problems import not_found
from gateway.web.api.routes import Routes

routes = Routes("inbound", "Messages in")


class Inbound(Model):
    """A message that came in."""

    id: Id
    received_at: At
    mobile: str
    line: str
    utility: str | None
    subscription: str | None
    text: str = Field(description="Secret codes are hidden, whoever asks.")
    operation: str = Field(description="What it was understood as; empty: as nothing.")
    outcome: str = Field(description="What came of it: `done`, or why not.")
    state: str = Field(description="answered, set_aside, incomplete or no_line.")
    reply: Id | None = Field(description="The message that answered it.")


class Search(Paging):
    """Which messages."""

    mobile: Mobile | None = None
    subscription: Number | None = None
    line: str | None = Field(default=None, max_length=20)
    operation: str | None = Field(default=None, max_length=40)
    outcome: str | None = Field(default=None, max_length=40)
    text: str | None = Field(
        default=None, min_length=1, max_length=100, description="What its text has in it."
    )
    since: When | None = Field(
        default=None, description="Without it, a mobile or a subscription: the last 31 days."
    )
    until: When | None = None


@routes.route(
    "GET",
    "/inbound",
    Permission.INBOX_SEE,
    summary="List messages that came in, the newest first",
    query=Search,
    answers=Page[Inbound],
    action="inbox.see",
    example={"operation": "complain", "limit": 100},
)
def listed(call: Call[Search, None], connection: Any) -> Page[Inbound]:
    """A webhook tells of each as it comes; this is for looking back."""
    asked = call.query
    since = None if asked.since is None else milliseconds(asked.since)
    if not (since or asked.mobile or asked.subscription):
        since = call.now - MOST_DAYS * DAY_MS
    found = list_inbox(
        connection,
        InboxFilter(
            mobile=asked.mobile,
            subscription=asked.subscription,
            line=asked.line,
            operation=asked.operation,
            outcome=asked.outcome,
            text=None if asked.text is None else normalise(asked.text) or None,
            since=since,
            until=None if asked.until is None else milliseconds(asked.until),
            lines=call.means.lines_of(call.scope),
            before=place("inbound", asked.cursor),
            limit=asked.limit + 1,
        ),
    )
    shown, following = cut("inbound", found, asked.limit)
    return Page(items=_shown(call, connection, shown), next=following)


@routes.route(
    "GET",
    "/inbound/<id:message>",
    Permission.INBOX_SEE,
    summary="Show a message that came in",
    answers=Inbound,
    action="inbox.see",
)
def show(call: Call[Nothing, None], connection: Any, message: int) -> Inbound:
    """With what was understood of it."""
    found = find_received(connection, message)
    if found is None:
        raise not_found()
    call.check(call.means.utility_of(found.line))
    return _shown(call, connection, [found])[0]


def _shown(call: Call[Any, Any], connection: Any, found: Sequence[Received]) -> list[Inbound]:
    whole = masking.seen_whole(call, "inbox", found)
    names = names_in(connection, [each for each in found if each.id not in whole])
    return [
        Inbound(
            id=str(each.id),
            received_at=instant_of(each.received_at),
            mobile=masking.mobile(each.mobile, whole=each.id in whole),
            line=each.line,
            utility=call.means.utility_of(each.line),
            subscription=masking.code(each.subscription, whole=each.id in whole),
            text=masking.text(each.text, names, whole=each.id in whole),
            operation=each.operation,
            outcome=each.outcome,
            state=each.state,
            reply=None if each.reply_id is None else str(each.reply_id),
        )
        for each in found
    ]
