"""Reading control (seed 003; seed 000, annex 1: بررسی اطلاعات از لحاظ صحت، کنترل قرائت).

The utility looks at the readings that came in and decides on them. A decision is stored with
who made it, when and why; it is an event, and a message to the mobile that sent the reading,
in the same transaction. A rejected reading no longer counts, and the mid-period bill that was
made of it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from core.bills import MID_PERIOD
from core.calls import Outcome, Scalar
from core.database import by_index_only
from core.events import Event, EventKind, store_events
from core.ids import IdMaker
from core.outbox import Notice, store_notices
from core.readings import ReadingState
from core.readings.lists import LISTED, Listed
from core.tables import bills, inbox, readings, subscribers
from core.told_of import told_of

DECISION = "reading_decision"
"""The operation of the outcomes that a decision has, for a profile's replies."""
DECISIONS: Mapping[str, frozenset[str]] = {
    ReadingState.ACCEPTED.value: frozenset({"number", "reading"}),
    ReadingState.REJECTED.value: frozenset({"number", "reading", "note", "withdrawn"}),
}
"""Its kinds, with the facts that a reply may use; ``withdrawn``: a bill was made of it."""

LONGEST_NOTE = 60
"""Characters of a note: more would not fit the message beside the other words."""

MAY_BECOME: Mapping[ReadingState, frozenset[ReadingState]] = {
    ReadingState.ACCEPTED: frozenset({ReadingState.REJECTED}),
    ReadingState.DOUBTFUL: frozenset({ReadingState.ACCEPTED, ReadingState.REJECTED}),
    ReadingState.UNCONFIRMED: frozenset({ReadingState.ACCEPTED, ReadingState.REJECTED}),
    ReadingState.REJECTED: frozenset({ReadingState.ACCEPTED}),
}
"""What may be decided of a reading in each state; a decision may be taken back."""
BILLED_WITHIN_MS = 3 * 86_400_000
"""How long after a reading the bill that is made of it can come: it may have to be confirmed."""


class Why(StrEnum):
    """Why a decision cannot be made."""

    UNKNOWN = "unknown"
    ALREADY = "already"
    """Its state does not allow it."""
    MEANWHILE = "meanwhile"
    """Somebody else has decided."""
    STANDS_ON_IT = "stands_on_it"
    """A later bill stands on the one that would be withdrawn."""
    LONG_NOTE = "long_note"


class DecisionError(Exception):
    """A decision that cannot be made, in words for the operator; nothing was changed."""

    def __init__(self, why: Why, words: str) -> None:
        super().__init__(words)
        self.why = why


class Decision(NamedTuple):
    """What somebody decides of a reading."""

    reading_id: int
    state: ReadingState
    """Accepted or rejected."""
    by: str
    """Who."""
    note: str
    """Why, in words for the subscriber; at most ``LONGEST_NOTE`` characters."""
    now: int
    """UTC milliseconds."""


class Decided(NamedTuple):
    """What came of a decision."""

    reading: Listed
    """As it is now."""
    told: str | None
    """The mobile that a message is on its way to; None when nobody is told."""
    withdrawn: str
    """The period of the mid-period bill that is withdrawn; ``""`` for none."""


class Foretold(NamedTuple):
    """What who sent a reading would be told of a decision on it."""

    mobile: str | None
    """None: nobody is told."""
    by_template: bool
    """A template of the utility's tells it, in words of its own."""
    texts: Sequence[str]
    """The parts of the message otherwise."""


Words = Callable[[str, str, Outcome], tuple[str, Sequence[str]] | None]
"""Utility, the line that was texted (or ``""``) and an outcome → the line that the message
comes from and its parts; None where the utility's profile has no words."""


def decide(connection: Connection, ids: IdMaker, decision: Decision, words: Words) -> Decided:
    """Make a decision; in one transaction with its event and its message.

    Raises ``DecisionError`` when there is no such reading, its state does not allow it, the
    note is too long, or a later bill stands on the one that would be withdrawn.
    """
    _check_note(decision)
    by_index_only(connection)
    found = connection.execute(_ONE, {"id": decision.reading_id}).mappings().one_or_none()
    if found is None:
        raise DecisionError(Why.UNKNOWN, f"there is no reading {decision.reading_id}")
    if decision.state not in MAY_BECOME[ReadingState(found["state"])]:
        raise DecisionError(Why.ALREADY, f"reading {found['id']} is {found['state']} already")
    _change(connection, decision, found["state"])
    rejected = decision.state is ReadingState.REJECTED
    case = _Case(decision, found, _withdraw(connection, found) if rejected else "")
    event = _event_of(case)
    store_events(connection, [(ids.one(), event)])
    by_template = event.mobile is not None and event.mobile in told_of(connection, event)
    told = event.mobile if by_template else _tell(connection, ids, case, words)
    now_is = {
        "state": decision.state.value,
        "decided_at": decision.now,
        "decided_by": decision.by,
        "note": decision.note,
    }
    listed = Listed._make({**found, **now_is}[name] for name in Listed._fields)
    return Decided(listed, told, case.withdrawn)


def foretell(connection: Connection, decision: Decision, words: Words) -> Foretold:
    """What who sent the reading would be told of a decision; nothing is changed."""
    found = connection.execute(_ONE, {"id": decision.reading_id}).mappings().one()
    made = bill_made_of(connection, found["subscriber_id"], found["reading"], found["read_at"])
    is_withdrawn = made is not None and decision.state is ReadingState.REJECTED
    case = _Case(decision, found, str(made) if is_withdrawn else "")
    event = _event_of(case)
    if event.mobile is None:
        return Foretold(None, by_template=False, texts=())
    if event.mobile in told_of(connection, event):
        return Foretold(event.mobile, by_template=True, texts=())
    _line, texts = _said(case, words) or ("", ())
    return Foretold(event.mobile if texts else None, by_template=False, texts=texts)


def _check_note(decision: Decision) -> None:
    if len(decision.note) > LONGEST_NOTE:
        raise DecisionError(
            Why.LONG_NOTE,
            f"a note may have {LONGEST_NOTE} characters, this one has {len(decision.note)}",
        )


def _change(connection: Connection, decision: Decision, was: str) -> None:
    changed = connection.execute(
        update(readings)
        # Somebody else may have decided meanwhile.
        .where(readings.c.id == decision.reading_id, readings.c.state == was)
        .values(
            state=decision.state.value,
            decided_at=decision.now,
            decided_by=decision.by,
            note=decision.note,
        )
    )
    if not changed.rowcount:
        said = f"reading {decision.reading_id} was decided on a moment ago"
        raise DecisionError(Why.MEANWHILE, said)


def _withdraw(connection: Connection, found: RowMapping) -> str:
    """Withdraw the mid-period bill that was made of a reading; its period, or ``""``.

    What was owed before it is owed again, as a balance is counted from the newest bill.
    """
    since = _bills_since(connection, found["subscriber_id"], found["read_at"])
    shown = (found["reading"], found["read_at"])
    made = next((bill for bill in since if _is_made_of(bill, *shown)), None)
    if made is None:
        return ""
    period: str = made["period"]
    if made["id"] != since[0]["id"]:
        raise DecisionError(
            Why.STANDS_ON_IT,
            f"the bill {period} was made of reading {found['id']}, and {since[0]['period']} "
            "stands on it: put that right with a correction",
        )
    connection.execute(delete(bills).where(bills.c.id == made["id"]))
    return period


def bill_made_of(
    connection: Connection, subscriber_id: int, reading: int, read_at: int
) -> int | None:
    """The id of the mid-period bill that was made of a reading; None where none was."""
    by_index_only(connection)
    since = _bills_since(connection, subscriber_id, read_at)
    return next((bill["id"] for bill in since if _is_made_of(bill, reading, read_at)), None)


def _bills_since(connection: Connection, subscriber_id: int, read_at: int) -> Sequence[RowMapping]:
    """The subscription's bills since a reading, the newest first."""
    statement = (
        select(bills.c.id, bills.c.period, bills.c.kind, bills.c.to_reading, bills.c.issued_at)
        .where(bills.c.subscriber_id == subscriber_id)
        .where(bills.c.issued_at >= read_at)
        .order_by(bills.c.issued_at.desc(), bills.c.id.desc())
    )
    return connection.execute(statement).mappings().all()


def _is_made_of(bill: RowMapping, reading: int, read_at: int) -> bool:
    in_time: bool = bill["issued_at"] <= read_at + BILLED_WITHIN_MS
    same: bool = bill["to_reading"] == reading
    mid_period: bool = bill["kind"] == MID_PERIOD
    return mid_period and same and in_time


class _Case(NamedTuple):
    """A decision that was made, to be told."""

    decision: Decision
    found: RowMapping
    """The reading as it was."""
    withdrawn: str

    @property
    def rejected(self) -> bool:
        return self.decision.state is ReadingState.REJECTED


def _event_of(case: _Case) -> Event:
    decision, found, withdrawn = case
    about: dict[str, Scalar] = {
        "number": found["number"],
        "reading": found["reading"],
        "by": decision.by,
        "note": decision.note,
        "withdrawn": withdrawn,
    }
    kind = EventKind.READING_REJECTED if case.rejected else EventKind.READING_ACCEPTED
    whom = (found["subscriber_id"], found["mobile"])
    return Event(kind, found["utility"], decision.now, about, *whom)


def _said(case: _Case, words: Words) -> tuple[str, Sequence[str]] | None:
    """The line and the parts of the message to who sent the reading."""
    decision, found, withdrawn = case
    facts: dict[str, Scalar] = {"number": found["number"], "reading": found["reading"]}
    if case.rejected:
        facts |= {"note": decision.note, "withdrawn": bool(withdrawn)}
    outcome = Outcome(DECISION, decision.state.value, facts)
    return words(found["utility"], found["line"] or "", outcome)


def _tell(connection: Connection, ids: IdMaker, case: _Case, words: Words) -> str | None:
    """Queue the message to the mobile that sent the reading; the mobile, if it is told."""
    found = case.found
    mobile: str | None = found["mobile"]
    said = _said(case, words) if mobile else None
    if mobile is None or said is None:
        return None
    line, texts = said
    parts = ids.take(len(texts))
    notice = Notice(parts, mobile, line, texts, found["subscriber_id"], case.decision.now)
    store_notices(connection, [notice])
    return mobile


_ONE = (
    select(*LISTED, readings.c.subscriber_id, inbox.c.line)
    .join_from(readings, subscribers)
    .outerjoin(inbox, inbox.c.id == readings.c.inbox_id)
    .where(readings.c.id == bindparam("id"))
)
