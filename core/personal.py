"""All that is held of one subscriber: found, handed over, erased.

Rows are a subscriber's when they say so, or when they came from or went to a mobile that is
registered to no other subscription and are about nobody else. What the utility's books need
(bills, payments, corrections, instalments, readings, the subscription's number and its bill
IDs) stays when the rest is erased, with no name, address, code or mobile.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    select,
    union,
    update,
)

from core.bulk import as_rows, unfolded
from core.outbox import State
from core.payments.states import OrderState
from core.requests.states import FINAL
from core.tables import (
    attempts,
    bill_recipients,
    bills,
    code_failures,
    contact_confirmations,
    contacts,
    corrections,
    due_events,
    events,
    inbox,
    inbox_handling,
    inbox_parts,
    instalments,
    manual_replies,
    orders,
    outbox,
    payments,
    readings,
    request_documents,
    request_history,
    request_messages,
    requests,
    subscribers,
    suppressions,
    ussd_sessions,
    ussd_steps,
)
from core.tariff import lines_stored

_OWN: Final = (
    contacts, contact_confirmations, bill_recipients, bills, payments, readings, corrections,
    instalments, requests, orders, events, inbox, outbox, ussd_steps,
)  # fmt: skip
"""Tables whose rows name a subscriber."""
_OF_MOBILE: Final = (inbox, outbox, ussd_steps, orders, events, requests)
"""Those of them whose rows may name a mobile alone."""
_SECRET: Final = frozenset({"code_hash", "fingerprint", "link", "token"})
_JSON: Final[Mapping[str, Callable[[str], Any]]] = {
    "fields": json.loads,
    "about": json.loads,
    "state": json.loads,
    "lines": lambda stored: [line.as_plain() for line in lines_stored(stored)],
}
_SENDING: Final = "a message is being sent: try again in a minute"
_UNDER_WAY: Final = frozenset(
    {
        OrderState.REDIRECTED,
        OrderState.RETURNED,
        OrderState.UNKNOWN,
        OrderState.VERIFIED,
        OrderState.SETTLED,
    }
)


class PersonalError(Exception):
    """It cannot be done, in words for who asked for it."""


class Held(NamedTuple):
    """Everything that is held of one subscriber."""

    subscriber: Mapping[str, Any]
    mobiles: tuple[str, ...]
    """Registered to this subscription and to no other."""
    shared: tuple[str, ...]
    """Registered to others as well: what they did without naming a subscription is not here."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    """By table."""

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each table; only those that there are."""
        return {name: len(rows) for name, rows in self.rows.items() if rows}


def held_of(connection: Connection, utility: str, number: str) -> Held:
    """Find it all. Reads some tables from end to end: for a transaction that only reads.

    Raises ``PersonalError``.
    """
    mine = and_(subscribers.c.utility == utility, subscribers.c.number == number)
    found = connection.execute(select(subscribers).where(mine)).mappings().first()
    if found is None:
        raise PersonalError(f"{utility} has no subscription {number}")
    key = found["id"]
    mobiles, shared = _mobiles(connection, key)
    rows: dict[str, Sequence[Mapping[str, Any]]] = {}
    for table in _OWN:
        whose = table.c.subscriber_id == key
        if table in _OF_MOBILE:
            whose |= table.c.subscriber_id.is_(None) & table.c.mobile.in_(mobiles)
        rows[table.name] = _rows(connection, table, whose)
    for table, column, parent in (
        (request_history, request_history.c.request_id, "requests"),
        (request_messages, request_messages.c.request_id, "requests"),
        (request_documents, request_documents.c.request_id, "requests"),
        (attempts, attempts.c.outbox_id, "outbox"),
        (inbox_handling, inbox_handling.c.inbox_id, "inbox"),
        (manual_replies, manual_replies.c.outbox_id, "outbox"),
    ):
        rows[table.name] = _rows(connection, table, column.in_(_wanted()), _ids(rows[parent]))
    theirs = suppressions.c.mobile.in_(mobiles) & suppressions.c.utility.in_((utility, ""))
    rows["suppressions"] = _rows(connection, suppressions, theirs)
    wrong = and_(code_failures.c.utility == utility, code_failures.c.number == number)
    rows["code_failures"] = _rows(
        connection, code_failures, wrong | code_failures.c.mobile.in_(mobiles)
    )
    for table in (inbox_parts, ussd_sessions):
        rows[table.name] = _rows(connection, table, table.c.mobile.in_(mobiles))
    return Held(dict(found), mobiles, shared, rows)


def exported(held: Held) -> dict[str, Any]:
    """What a subscriber may be handed: plain values, without what is a secret of others."""
    told: dict[str, Any] = {
        "subscriber": _plain(held.subscriber)
        | {"has_code": held.subscriber["code_hash"] is not None},
        "mobiles": list(held.mobiles),
        "mobiles_of_other_subscriptions_too": list(held.shared),
    }
    for name, rows in held.rows.items():
        told[name] = [_plain(row) for row in rows]
    return told


def obstacles(held: Held) -> list[str]:
    """Why it cannot be erased now, in words."""
    found: list[str] = []
    states = [row["state"] for row in held.rows["outbox"]]
    if State.SENDING.value in states:
        found.append(_SENDING)
    open_ = [r["tracking"] for r in held.rows["requests"] if r["state"] not in FINAL]
    if open_:
        found.append(f"requests are open: {', '.join(open_)}; `peyk request state` ends them")
    under_way = [row["id"] for row in held.rows["orders"] if row["state"] in _UNDER_WAY]
    if under_way:
        found.append(f"payments are under way: {', '.join(map(str, under_way))}")
    if any(row["ended_at"] is None for row in held.rows["ussd_sessions"]):
        found.append("a USSD session is open: try again in some minutes")
    return found


def erase(connection: Connection, held: Held, now: int) -> None:
    """Erase what was found; what the books need stays without a person.

    Raises ``PersonalError`` when something has come under way meanwhile; nothing is done then.
    """
    sending = select(outbox.c.id).where(
        outbox.c.id.in_(_wanted()), outbox.c.state == State.SENDING.value
    )
    if connection.execute(sending, _ids(held.rows["outbox"])).first():
        raise PersonalError(_SENDING)
    for table, column in (
        (attempts, attempts.c.outbox_id),
        (manual_replies, manual_replies.c.outbox_id),
        (outbox, outbox.c.id),
    ):
        connection.execute(delete(table).where(column.in_(_wanted())), _ids(held.rows["outbox"]))
    connection.execute(
        delete(inbox_handling).where(inbox_handling.c.inbox_id.in_(_wanted())),
        _ids(held.rows["inbox"]),
    )
    due = due_events.c.event_id.in_(_wanted())
    connection.execute(delete(due_events).where(due), _ids(held.rows["events"]))
    for table in (inbox, inbox_parts, ussd_steps, events, request_messages, request_documents,
                  code_failures, contacts, contact_confirmations, bill_recipients):  # fmt: skip
        gone = delete(table).where(table.c.id.in_(_wanted()))
        connection.execute(gone, _ids(held.rows[table.name]))
    connection.execute(delete(ussd_sessions).where(ussd_sessions.c.mobile.in_(held.mobiles)))
    for table, values in (
        (requests, {"mobile": None, "fields": "{}", "text": "", "changed_at": now}),
        (request_history, {"note": ""}),
        (orders, {"mobile": None}),
        (readings, {"mobile": None, "note": None}),
        (suppressions, {"note": ""}),
    ):
        emptied = update(table).where(table.c.id.in_(_wanted())).values(values)
        connection.execute(emptied, _ids(held.rows[table.name]))
    nobody = {"name": "", "address": "", "code_hash": None, "meter_serial": None}
    me = subscribers.c.id == held.subscriber["id"]
    connection.execute(update(subscribers).where(me).values(**nobody, changed_at=now))


def _mobiles(connection: Connection, key: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = union(
        select(contacts.c.mobile).where(contacts.c.subscriber_id == key),
        select(bill_recipients.c.mobile).where(bill_recipients.c.subscriber_id == key),
    )
    mine = set(connection.scalars(known))
    others = select(contacts.c.mobile).where(
        contacts.c.mobile.in_(mine), contacts.c.subscriber_id != key
    )
    shared = set(connection.scalars(others))
    return tuple(sorted(mine - shared)), tuple(sorted(shared))


def _rows(
    connection: Connection,
    table: Table,
    whose: ColumnElement[bool],
    bound: Mapping[str, str] | None = None,
) -> Sequence[Mapping[str, Any]]:
    query = select(table).where(whose).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(query, bound).mappings()]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items() if name not in _SECRET}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _JSON[name](value) if name in _JSON and value[:1] in ("{", "[") else value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return b64encode(value).decode()
    # Ids are longer than the numbers of other programs are exact.
    if isinstance(value, int) and (name == "id" or name.endswith("_id")):
        return str(value)
    return value if isinstance(value, int) else str(value)


def _wanted() -> Any:
    keys = unfolded({"id": BigInteger()}, "wanted")
    return select(keys.c.id)


def _ids(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return as_rows((row["id"],) for row in rows)
