"""How messages are searched for: the inbox's and the outbox's filters, and what they ask.

The state of an outbox message is the one of its parts' states that says most: see
``PRECEDENCE``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from core.ids import first_id_at
from core.outbox import State
from core.state_groups import states_named
from core.tables import inbox, outbox, subscribers, templates
from core.tables.access import inbox_handling
from core.text import ascii_digits, persian_digits

PRECEDENCE = (
    State.REJECTED,
    State.UNDELIVERABLE,
    State.EXPIRED,
    State.CANCELLED,
    State.SUPPRESSED,
    State.UNCERTAIN,
    State.HELD,
    State.WAITING,
    State.SENDING,
    State.QUEUED,
    State.ACCEPTED,
    State.DELIVERED,
)
"""The first of these that any part is in is the message's: it is delivered only when every
part is, and failed when one part failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What both boxes can be searched by; None does not restrict."""

    mobile: str | None = None
    """E.164 digits without ``+``."""
    subscription: str | None = None
    """A subscription number, of any utility."""
    subscriber: int | None = None
    """The id of one subscription."""
    state: str | None = None
    line: str | None = None
    since: int | None = None
    """UTC milliseconds; the first that counts …"""
    until: int | None = None
    """… and the first that no longer does."""
    lines: Collection[str] | None = None
    """Only these lines: whose data somebody may see."""
    before: int | None = None
    """Only messages with a smaller id: the next page."""
    limit: int | None = 50
    """None takes all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter(_Filter):
    """Which received messages; ``state`` is the inbox row's."""

    text: str | None = None
    """What its text has in it, digits and ی and ک of any kind."""
    operation: str | None = None
    outcome: str | None = None
    open: bool | None = None
    """Whether nobody has closed it."""
    assigned_to: int | None = None
    """The user whom it is assigned to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFilter(_Filter):
    """Which messages sent or to be sent.

    ``state`` is the whole message's: any word of ``core.state_groups.CHOICES``.
    """

    template: str | None = None
    """The name of a template, of any utility."""
    run: int | None = None
    """A campaign."""


def conditions(table: Table, wanted: _Filter) -> Iterator[ColumnElement[bool]]:
    """What both boxes are searched by, of one of them."""
    if wanted.mobile is not None:
        yield table.c.mobile == wanted.mobile
    if wanted.line is not None:
        yield table.c.line == wanted.line
    if wanted.subscription is not None:
        yield table.c.subscriber_id.in_(
            select(subscribers.c.id).where(subscribers.c.number == wanted.subscription)
        )
    if wanted.subscriber is not None:
        yield table.c.subscriber_id == wanted.subscriber
    if wanted.lines is not None:
        yield table.c.line.in_(sorted(wanted.lines))
    if wanted.before is not None:
        yield table.c.id < wanted.before
    # Ids grow with time, so that a period is a range of the primary key.
    if wanted.since is not None:
        yield table.c.id >= first_id_at(wanted.since)
    if wanted.until is not None:
        yield table.c.id < first_id_at(wanted.until)


def inbox_conditions(wanted: InboxFilter) -> Iterator[ColumnElement[bool]]:
    """What received messages are searched by, in all; handling is joined where it is asked for."""
    yield from conditions(inbox, wanted)
    row = inbox.c
    for column, value in (
        (row.state, wanted.state),
        (row.operation, wanted.operation),
        (row.outcome, wanted.outcome),
    ):
        if value is not None:
            yield column == value
    if wanted.text is not None:
        spelled = {wanted.text, ascii_digits(wanted.text), persian_digits(wanted.text)}
        spelled |= {each.translate(_ARABIC) for each in spelled}
        yield or_(*(row.text.contains(each, autoescape=True) for each in sorted(spelled)))
    about = inbox_handling.c.inbox_id == row.id
    if wanted.open is not None:
        closed = exists().where(about, inbox_handling.c.closed_at.is_not(None))
        yield ~closed if wanted.open else closed
    if wanted.assigned_to is not None:
        yield row.id.in_(
            select(inbox_handling.c.inbox_id).where(
                inbox_handling.c.assigned_to == wanted.assigned_to
            )
        )


_ARABIC = {ord("ی"): "ي", ord("ک"): "ك"}
"""How an Arabic keyboard writes them: texts are kept as they were typed."""

# A literal, as the indexes of first parts cannot know what a parameter is.
_IS_FIRST = outbox.c.part == literal_column("1")


def wanted_ids(
    wanted: OutboxFilter, any_part: Collection[State] | None = None
) -> Select[tuple[int]]:
    """The query for the ids of the messages that are wanted, the newest first.

    With ``any_part`` only of those that have a part in one of these states.
    """
    query = select(outbox.c.id).where(_IS_FIRST, *conditions(outbox, wanted))
    if wanted.run is not None:
        query = query.where(outbox.c.run_id == wanted.run)
    if wanted.template is not None:
        named = select(templates.c.id).where(templates.c.name == wanted.template)
        query = query.where(outbox.c.template_id.in_(named))
    if wanted.state is not None:
        places = [PRECEDENCE.index(state) for state in states_named(wanted.state)]
        query = query.where(_whole_state().in_(places))
    if any_part is not None:
        query = query.where(_has_part(any_part))
    return query.order_by(outbox.c.id.desc()).limit(wanted.limit)


def _has_part(states: Collection[State]) -> ColumnElement[bool]:
    """Whether any part of a message is in one of these states, next to its first part's row."""
    parts = outbox.alias("parts")
    return exists().where(
        parts.c.id >= outbox.c.id,
        parts.c.id < outbox.c.id + outbox.c.parts,
        parts.c.state.in_(sorted(state.value for state in states)),
    )


def _whole_state() -> ColumnElement[int]:
    """The place in ``PRECEDENCE`` of a message's state, next to its first part's row."""
    parts = outbox.alias("parts")
    places = {state.value: place for place, state in enumerate(PRECEDENCE)}
    return (
        select(func.min(case(places, value=parts.c.state)))
        .where(parts.c.id >= outbox.c.id, parts.c.id < outbox.c.id + outbox.c.parts)
        .scalar_subquery()
    )
