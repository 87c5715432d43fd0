"""What is kept for how long: each kind of data, and what becomes of its old rows.

``core.retention`` goes through them, piece by piece.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    not_,
    or_,
    select,
    update,
)

from core.outbox import State
from core.payments.states import OrderState
from core.requests.states import FINAL
from core.tables import (
    alerts,
    attempts,
    code_failures,
    due_events,
    event_keys,
    events,
    inbox,
    inbox_handling,
    inbox_parts,
    manual_replies,
    orders,
    outbox,
    readings,
    request_documents,
    request_history,
    request_messages,
    requests,
    templates,
    ussd_steps,
    webhook_calls,
)


class Keep(NamedTuple):
    """For how many days each kind of data is kept; 0: for ever."""

    texts: int = 0
    """Words of messages and USSD inputs; the rows stay for reports."""
    messages: int = 0
    """Messages that came in and went out, with their attempts."""
    ussd_steps: int = 0
    events: int = 0
    """What happened to subscribers, once its messages are made."""
    wrong_codes: int = 0
    requests: int = 0
    """Of requests that are over: who asked, and what for. Kind, state and fee stay."""
    orders: int = 0
    """Of orders to pay that are over: whose mobile it was. Amounts and references stay."""
    readings: int = 0
    """Of meter readings: the mobile that sent them. The readings stay."""
    alerts: int = 0
    api_calls: int = 0
    """Answers kept under idempotency keys, and calls of webhooks that are done."""


class Task(NamedTuple):
    """One table, and what becomes of its old rows."""

    name: str
    keep: str
    """The field of ``Keep`` that says for how long."""
    table: Table
    at: Column[int] | None = None
    """When a row is from; None: its id says it. Grows with the id, but for a little."""
    waits: ColumnElement[bool] | None = None
    """What may not go yet."""
    does: tuple[Delete | Update, ...] = ()
    """For ids after ``low`` up to ``high``; the last one is counted."""

    @property
    def id(self) -> Column[int]:
        """The column that it goes by."""
        column: Column[int] = self.table.c.id
        return column


LOW, HIGH = bindparam("low", type_=BigInteger), bindparam("high", type_=BigInteger)
_LIVE: Final = tuple(
    state.value for state in (State.QUEUED, State.SENDING, State.WAITING, State.HELD)
)
_OVER: Final = tuple(
    state.value
    for state in (OrderState.BOOKED, OrderState.FAILED, OrderState.REVERSED, OrderState.EXPIRED)
)


def within(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an id belongs to a piece."""
    return and_(column > LOW, column <= HIGH)


def _gone(table: Table, key: str = "id", waits: ColumnElement[bool] | None = None) -> Delete:
    found = delete(table).where(within(table.c[key]))
    return found if waits is None else found.where(not_(waits))


def _emptied(table: Table, waits: ColumnElement[bool] | None = None, **values: Any) -> Update:
    """Set what is not so yet; ``key`` is always the id."""
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    found = update(table).where(within(table.c.id), differs).values(values)
    return found if waits is None else found.where(not_(waits))


def _of_parent(table: Table, key: str, parent: Table, waits: ColumnElement[bool]) -> Delete:
    """Rows that belong to parents which may go."""
    may_go = select(parent.c.id).where(within(parent.c.id), not_(waits))
    return delete(table).where(table.c[key].in_(may_go))


_unsent = outbox.c.state.in_(_LIVE)
_unpaid = orders.c.state.not_in(_OVER)
_open = requests.c.state.not_in([state.value for state in FINAL])
_is_due = exists(
    select(literal(1)).where(
        due_events.c.template_id == templates.c.id, due_events.c.event_id == events.c.id
    )
).correlate(templates, events)
_untold = or_(
    events.c.handled_at.is_(None),
    # Template by template, as the key of what is made later begins with it.
    exists(select(literal(1)).select_from(templates).where(_is_due)).correlate(events),
)
_undone = webhook_calls.c.due_at.is_not(None)

TASKS: Final = (
    Task("inbox.texts", "texts", inbox, does=(_emptied(inbox, text=""),)),
    Task(
        "outbox.texts", "texts", outbox, waits=_unsent, does=(_emptied(outbox, _unsent, text=""),)
    ),
    Task("ussd.texts", "texts", ussd_steps, does=(_emptied(ussd_steps, text=""),)),
    Task("inbox.parts", "texts", inbox_parts, waits=inbox_parts.c.inbox_id.is_(None), does=(
        _gone(inbox_parts, waits=inbox_parts.c.inbox_id.is_(None)),
    )),
    Task("inbox.rows", "messages", inbox, does=(
        _gone(inbox_handling, "inbox_id"), _gone(inbox),
    )),
    Task("outbox.rows", "messages", outbox, waits=_unsent, does=(
        _of_parent(attempts, "outbox_id", outbox, _unsent),
        _of_parent(manual_replies, "outbox_id", outbox, _unsent),
        _gone(outbox, waits=_unsent),
    )),
    Task("ussd.rows", "ussd_steps", ussd_steps, does=(_gone(ussd_steps),)),
    Task("events.rows", "events", events, waits=_untold, does=(_gone(events, waits=_untold),)),
    Task("events.keys", "events", event_keys, does=(_gone(event_keys),)),
    Task("wrong_codes.rows", "wrong_codes", code_failures, code_failures.c.at,
         does=(_gone(code_failures),)),
    Task("requests.persons", "requests", requests, requests.c.created_at, _open, (
        _of_parent(request_messages, "request_id", requests, _open),
        _of_parent(request_documents, "request_id", requests, _open),
        update(request_history).where(request_history.c.request_id.in_(
            select(requests.c.id).where(within(requests.c.id), not_(_open))
        )).values(note=""),
        _emptied(requests, _open, mobile=None, fields="{}", text=""),
    )),
    Task("orders.persons", "orders", orders, waits=_unpaid,
         does=(_emptied(orders, _unpaid, mobile=None),)),
    Task("readings.mobiles", "readings", readings, readings.c.read_at,
         does=(_emptied(readings, mobile=None),)),
    Task("alerts.rows", "alerts", alerts, waits=alerts.c.ended_at.is_(None),
         does=(_gone(alerts, waits=alerts.c.ended_at.is_(None)),)),
    Task("webhooks.calls", "api_calls", webhook_calls, waits=_undone,
         does=(_gone(webhook_calls, waits=_undone),)),
)  # fmt: skip
"""In the order in which they are gone through."""
