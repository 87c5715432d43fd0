"""Subscribers: found by whatever names them, and each with all that is on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.box_filters import InboxFilter, OutboxFilter
from core.browse import Message, Received, list_inbox, list_outbox
from core.instalments import due_at
from core.requests.kinds import Services
from core.subscribers import SHORTEST_NAME, Detail, Found, SubscriberFilter, find_subscriber, search
from core.subscribers.names import MOST, Named, search_by_name
from core.subscribers.records import Records, records_of
from gateway.languages import OWN
from gateway.minds import LineMind
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.patience import Impatient, Patience
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.texts import PERSIAN
from gateway.web.desk.visit import Visit

routes = Routes()
EACH: Final = 12
"""So many of each kind of record are shown."""
_MESSAGES: Final = 6


class Held(NamedTuple):
    """A subscription, and what is on record of it."""

    records: Records
    received: list[Received]
    sent: list[Message]


@routes.route("GET", "/subscribers", Permission.SUBSCRIBER_SEE)
async def show(visit: Visit) -> bytes:
    """A search; the one that an identifier is of opens at once."""
    form, may = visit.query, visit.utilities(Permission.SUBSCRIBER_SEE)
    said = form.text("q", most=60)
    chosen = form.choice("utility", may, required=False)
    wanted = SubscriberFilter(
        utilities=[chosen] if chosen else list(may),
        said=said,
        before=form.row_id("before"),
        limit=LIMIT,
    )
    if said and wanted.is_name and max(map(len, said.split())) < SHORTEST_NAME:
        form.wrong("q", "subscribers.too_short", least=SHORTEST_NAME)
    rows, reached = await _found(visit, wanted) if said and form.is_right else Named([], None)
    if len(rows) == 1 and not wanted.is_name and wanted.before is None:
        return visit.go(f"/subscribers/{rows[0].id}")
    listed = paged(rows)
    if reached is not None:
        listed |= {"more": True, "last": reached}
    return visit.page(
        "subscribers.html",
        code=200 if form.is_right else 422,
        form=form,
        said=said,
        looked_through=MOST if reached is not None else 0,
        utilities=may,
        whole=await _seen_whole(visit, form, listed["rows"]),
        **listed,
    )


@routes.route("GET", "/subscribers/<int:subscriber_id>", Permission.SUBSCRIBER_SEE)
async def show_one(visit: Visit, subscriber_id: int) -> bytes:
    """One, with the records that the visitor may see; a look at personal data is written down."""
    return await subscriber_page(visit, subscriber_id, visit.blank())


async def known_for(visit: Visit, subscriber_id: int, permission: Permission) -> Detail:
    """The subscription, if the visitor may do that with it. Raises ``NotFound``."""
    detail: Detail | None = await visit.read("subscriber", find_subscriber, subscriber_id)
    if detail is None:
        raise NotFound
    visit.check(permission, detail.utility)
    return detail


async def subscriber_page(
    visit: Visit, subscriber_id: int, form: Form, code: int = 200, *, confirm: int = 0
) -> bytes:
    """The page of one; ``confirm``: so many other mobiles it has, and one more was asked for."""
    detail = await known_for(visit, subscriber_id, Permission.SUBSCRIBER_SEE)
    entry = Entry("subscriber.see", f"subscriber:{detail.id}", detail.utility)
    whole = await visit.sees_personal(entry)
    lines = visit.means.lines_of({detail.utility})
    mind = visit.means.mind_of(detail.utility)
    held: Held = await visit.read("subscriber.records", _held, detail, lines, visit.user.office)
    return visit.page(
        "subscriber.html",
        code=code,
        form=form,
        row=detail,
        held=held,
        records=held.records,
        due=due_at(held.records.unpaid, visit.means.now_ms()),
        services=mind.terms.services if mind else Services(),
        words=_words(visit, mind),
        whole=whole,
        confirm=confirm,
        newest=held.records.readings[0].id if held.records.readings else 0,
        utility=detail.utility,
    )


async def _seen_whole(visit: Visit, form: Form, rows: Sequence[Found]) -> set[str]:
    """The utilities whose subscribers a list names in full, where that is asked for.

    Each that it names is a look at personal data, and written down as one.
    """
    may = visit.utilities(Permission.PERSONAL_SEE)
    seen = [row for row in rows if row.utility in may] if form.tick("full") else []
    await visit.audit(
        *(Entry("subscriber.see", f"subscriber:{row.id}", row.utility) for row in seen)
    )
    return {row.utility for row in seen}


async def _found(visit: Visit, wanted: SubscriberFilter) -> Named:
    if not wanted.is_name:
        return Named(list(await visit.read("subscribers", search, wanted)), None)
    # Many records are looked through: on the thread that may take its time, while somebody waits.
    patience = Patience(visit.means.database)
    visit.request.notifyFinish().addErrback(patience.give_up)
    try:
        named: Named = await visit.means.in_report(search_by_name, patience, wanted, MOST)
    except Impatient:
        raise Refusal(409, "subscribers.too_long") from None
    return named


def _words(visit: Visit, mind: LineMind | None) -> Mapping[str, str]:
    """The utility's own words for what its data has as keys, in the visitor's language."""
    if mind is None:
        return {}
    language = OWN if visit.language == PERSIAN else visit.language
    return mind.profile.words.get(language, {})


def _held(connection: Any, detail: Detail, lines: Collection[str] | None, office: str) -> Held:
    return Held(
        records_of(connection, detail, EACH, office),
        list_inbox(connection, InboxFilter(subscriber=detail.id, lines=lines, limit=_MESSAGES)),
        list_outbox(connection, OutboxFilter(subscriber=detail.id, lines=lines, limit=_MESSAGES)),
    )
