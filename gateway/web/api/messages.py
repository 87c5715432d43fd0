"""Messages out: sent by the caller's words or a template's, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.access.permissions import Permission
from core.box_filters import OutboxFilter
from core.browse import Message, list_outbox, messages, show_outbox
from core.jalali import instant_of, milliseconds
from core.ordered import Asked, NoSubscription, addressees, place
from core.state_groups import CHOICES, Group
from gateway.templates.wordings import LineGone
from gateway.web.api import masking
from gateway.web.api.call import Call
from gateway.web.api.cursors import cut
from gateway.web.api.cursors import place as place_of
from gateway.web.api.message_models import One, Part, Search, Send, Sent, Shown, Taken
from gateway.web.api.models import Nothing, Page
from gateway.web.api.problems import Problem, Words, Wrong, invalid, not_found
from gateway.web.api.routes import Routes
from gateway.web.api.sending import (
    Template,
    facts_of,
    manner_of,
    manner_of_texts,
    parts_of,
    template_of,
)

routes = Routes("messages", "Messages out")
DAY_MS: Final = 86_400_000
MOST_DAYS: Final = 31
FINAL: Final = frozenset(
    {Group.DELIVERED, Group.FAILED, Group.UNCERTAIN, Group.SUPPRESSED, Group.CANCELLED}
)


@routes.route(
    "POST",
    "/messages",
    Permission.MESSAGE_SEND,
    summary="Send messages",
    body=Send,
    answers=Sent,
    status=202,
    action="message.send",
    problems=("conflict",),
    most_body=1536 * 1024,
    example={
        "utility": "kerman-water",
        "messages": [{"mobile": "09131234567", "text": "آب شما فردا وصل می‌شود."}],
    },
)
def send(call: Call[Nothing, Send], connection: Any) -> Sent:
    """Up to 200 at once, all or none: the texts as they are, or what a template says of facts.

    They are queued when this answers; what becomes of each is asked for, or told by a webhook.
    A mistake in one refuses all.
    """
    asked = call.body
    _check_words(asked)
    utility = call.utility(asked.utility)
    try:
        whom = addressees(
            connection, utility, [Asked(each.mobile, each.subscription) for each in asked.messages]
        )
    except NoSubscription as gone:
        words = Words("there is no such subscription", "چنین اشتراکی نیست")
        wrong = [Wrong(f"/messages/{each}/subscription", words) for each in gone.places]
        raise Problem("invalid", wrong=wrong) from None
    if asked.template is None:
        manner, mind = manner_of_texts(
            call, utility, asked.line, asked.topic, required=asked.required
        )
        parts: Sequence[Sequence[str]] = [
            parts_of(mind, n, each.text or "") for n, each in enumerate(asked.messages)
        ]
    else:
        template = template_of(call, connection, utility, asked.template)
        manner = manner_of(template)
        parts = _written(call, template, asked.messages)
    ordered = list(zip(whom, parts, strict=True))
    placed = place(connection, call.means.ids, manner, ordered, call.now)
    ids = [each.id for each in placed if each.id is not None]
    object_ = f"outbox:{ids[0]}" if ids else "outbox"
    told = {"asked": len(placed), "queued": len(ids), "template": asked.template or ""}
    call.note(object_, utility, **told)
    call.after(call.means.on_queued)
    return Sent(
        messages=[
            Taken(
                id=None if each.id is None else str(each.id),
                state=each.state.value if each.state else "unreachable",
                parts=each.parts,
            )
            for each in placed
        ]
    )


def _check_words(asked: Send) -> None:
    """Either each message has a text, or the template has the words. Raises ``Problem``."""
    wrong = []
    by_template = asked.template is not None
    if by_template and asked.line is not None:
        wrong.append(Wrong("/line", Words("the template has its own", "الگو سرخط خود را دارد")))
    for number, each in enumerate(asked.messages):
        where = f"/messages/{number}"
        if by_template and each.text is not None:
            words = Words("the words are the template's", "متن از الگو گرفته می‌شود")
            wrong.append(Wrong(f"{where}/text", words))
        if not by_template and each.text is None:
            words = Words("is needed without a template", "بدون الگو لازم است")
            wrong.append(Wrong(f"{where}/text", words))
        if not by_template and each.facts is not None:
            words = Words("are of use to a template alone", "تنها برای الگو است")
            wrong.append(Wrong(f"{where}/facts", words))
    if wrong:
        raise Problem("invalid", wrong=wrong)


def _written(
    call: Call[Any, Any], template: Template, asked: Sequence[One]
) -> Sequence[Sequence[str]]:
    facts = [facts_of(template, n, each.facts or {}) for n, each in enumerate(asked)]
    try:
        found = call.wordings.words(template.version, facts)
    except LineGone as error:
        raise Problem("conflict", str(error), "سرخط این الگو در تنظیمات نیست") from None
    unwritten = [place for place, parts in enumerate(found) if not parts]
    if unwritten:
        words = Words(
            "the template cannot be filled with these: it says nothing, or too much",
            "الگو با این مقدارها پر نمی‌شود: متن خالی یا بیش از اندازه بلند می‌شود",
        )
        raise Problem("invalid", wrong=[Wrong(f"/messages/{n}/facts", words) for n in unwritten])
    return found


@routes.route(
    "GET",
    "/messages",
    Permission.OUTBOX_SEE,
    summary="List messages, the newest first",
    query=Search,
    answers=Page[Shown],
    action="outbox.see",
    example={"state": "failed", "limit": 100},
)
def listed(call: Call[Search, None], connection: Any) -> Page[Shown]:
    """Those that the utility sent of its own accord and the answers to subscribers alike."""
    asked = call.query
    if asked.state is not None and asked.state not in CHOICES:
        raise invalid("state", f"is one of {', '.join(CHOICES)}", "از حالت‌های شناخته نیست")
    if asked.ids is not None:
        wanted = dict.fromkeys(map(int, asked.ids.split(",")))
        return Page(items=_shown(call, _mine(call, messages(connection, wanted))), next=None)
    since = None if asked.since is None else milliseconds(asked.since)
    if not (since or asked.mobile or asked.subscription or asked.campaign):
        since = call.now - MOST_DAYS * DAY_MS
    found = list_outbox(
        connection,
        OutboxFilter(
            mobile=asked.mobile,
            subscription=asked.subscription,
            line=asked.line,
            template=asked.template,
            run=None if asked.campaign is None else int(asked.campaign),
            state=asked.state,
            since=since,
            until=None if asked.until is None else milliseconds(asked.until),
            lines=call.means.lines_of(call.scope),
            before=place_of("messages", asked.cursor),
            limit=asked.limit + 1,
        ),
    )
    shown, following = cut("messages", found, asked.limit)
    return Page(items=_shown(call, shown), next=following)


@routes.route(
    "GET",
    "/messages/<id:message>",
    Permission.OUTBOX_SEE,
    summary="Show what became of a message",
    answers=Shown,
    action="outbox.see",
)
def show(call: Call[Nothing, None], connection: Any, message: int) -> Shown:
    """The id is the one that sending it answered."""
    found = show_outbox(connection, message)
    if found is None:
        raise not_found()
    call.check(call.means.utility_of(found.line))
    return _shown(call, [found])[0]


def _mine(call: Call[Any, Any], found: Sequence[Message]) -> list[Message]:
    lines = call.means.lines_of(call.scope)
    return [each for each in found if lines is None or each.line in lines]


def _shown(call: Call[Any, Any], found: Sequence[Message]) -> list[Shown]:
    whole = masking.seen_whole(call, "outbox", found)
    return [_as_shown(call, each, whole=each.id in whole) for each in found]


def _as_shown(call: Call[Any, Any], message: Message, *, whole: bool) -> Shown:
    return Shown(
        id=str(message.id),
        state=message.group,
        is_final=message.group in FINAL,
        created_at=instant_of(message.created_at),
        changed_at=instant_of(message.changed_at),
        expires_at=None if message.expires_at is None else instant_of(message.expires_at),
        mobile=masking.mobile(message.mobile, whole=whole),
        line=message.line,
        utility=call.means.utility_of(message.line),
        subscription=masking.code(message.subscription, whole=whole),
        template=message.template,
        campaign=None if message.run_id is None else str(message.run_id),
        answers=None if message.inbox_id is None else str(message.inbox_id),
        parts=[
            Part(
                state=part.state,
                attempts=part.attempts,
                changed_at=instant_of(part.changed_at),
                code=part.code,
                error=part.error,
            )
            for part in message.parts
        ],
    )
