"""Whom messages that the utility makes by itself go to: the mobiles that rows concern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select

from core.bulk import as_rows, unfolded
from core.calls import Fact
from core.tables import bill_recipients, contacts
from core.templates.types import Receivers


class Row(NamedTuple):
    """What one message is to be about."""

    key: str
    """What the caller calls it: a report's key, an event's id."""
    facts: Mapping[str, Fact]
    """What its words are filled with."""
    subscriber_id: int | None
    mobile: str | None
    """Whom the row itself names, E.164 digits."""


def receivers_of(
    connection: Connection, which: Receivers, rows: Sequence[Row]
) -> list[Sequence[str]]:
    """The mobiles of each row, none twice; one statement.

    What is about no subscription goes to the mobile that the row names, but for those who
    asked for bills: they asked for those of a subscription.
    """
    if which is Receivers.ROW:
        return [_own(row) for row in rows]
    wanted = {row.subscriber_id for row in rows if row.subscriber_id is not None}
    of_subscriber: defaultdict[int, list[str]] = defaultdict(list)
    if wanted:
        query = _RECIPIENTS if which is Receivers.RECIPIENTS else _CONTACTS
        for key, mobile in connection.execute(query, as_rows((key,) for key in wanted)).all():
            of_subscriber[key].append(mobile)
    most = 1 if which is Receivers.FIRST_CONTACT else None
    return [
        of_subscriber[row.subscriber_id][:most]
        if row.subscriber_id is not None
        else (() if which is Receivers.RECIPIENTS else _own(row))
        for row in rows
    ]


def _own(row: Row) -> Sequence[str]:
    return (row.mobile,) if row.mobile else ()


_subscribers = unfolded({"subscriber_id": BigInteger()})
_CONTACTS = (
    select(contacts.c.subscriber_id, contacts.c.mobile)
    .join_from(_subscribers, contacts, contacts.c.subscriber_id == _subscribers.c.subscriber_id)
    .order_by(contacts.c.subscriber_id, contacts.c.created_at, contacts.c.id)
)
_RECIPIENTS = (
    select(bill_recipients.c.subscriber_id, bill_recipients.c.mobile)
    .join_from(
        _subscribers,
        bill_recipients,
        bill_recipients.c.subscriber_id == _subscribers.c.subscriber_id,
    )
    .order_by(bill_recipients.c.subscriber_id, bill_recipients.c.id)
)
