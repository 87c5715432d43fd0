"""Reading control (seed 003; seed 000, annex 1: بررسی اطلاعات از لحاظ صحت، کنترل قرائت).

The utility looks at the readings that came in and decides on them. A decision is stored with
who made it, when and why; it is an event, and a message to the mobile that sent the reading,
in the same transaction. A rejected reading no longer counts, and the mid-period bill that was
made of it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from core.bills import MID_PERIOD
from core.calls import Outcome, Scalar
from core.events import Event, EventKind, Events
from core.ids import IdMaker
from core.outbox import Notice, store_notices
from core.readings import ReadingState
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

_MAY_BECOME: Mapping[ReadingState, frozenset[ReadingState]] = {
    ReadingState.ACCEPTED: frozenset({ReadingState.REJECTED}),
    ReadingState.DOUBTFUL: frozenset({ReadingState.ACCEPTED, ReadingState.REJECTED}),
    ReadingState.UNCONFIRMED: frozenset({ReadingState.ACCEPTED, ReadingState.REJECTED}),
    ReadingState.REJECTED: frozenset({ReadingState.ACCEPTED}),
}
"""What may be decided of a reading in each state; a decision may be taken back."""
BILLED_WITHIN_MS = 3 * 86_400_000
"""How long after a reading the bill that is made of it can come: it may have to be confirmed."""


class DecisionError(Exception):
    """A decision that cannot be made, in words for the operator; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFilter:
    """Which readings; None does not restrict."""

    utility: str | None = None
    state: ReadingState | None = None
    since: int | None = None
    """UTC milliseconds; the first that counts …"""
    until: int | None = None
    """… and the first that no longer does."""
    limit: int | None = 50
    """None takes all."""


class Listed(NamedTuple):
    """A reading as the utility looks at it."""

    id: int
    utility: str
    number: str
    reading: int
    read_at: int
    """UTC milliseconds."""
    state: str
    meter_state: str
    source: str
    mobile: str | None
    decided_at: int | None
    decided_by: str | None
    note: str | None


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


Words = Callable[[str, str, Outcome], tuple[str, Sequence[str]] | None]
"""Utility, the line that was texted (or ``""``) and an outcome → the line that the message
comes from and its parts; None where the utility's profile has no words."""


def list_readings(connection: Connection, wanted: ReadingFilter) -> list[Listed]:
    """Readings, the newest first; one statement."""
    statement = select(*_LISTED).join_from(readings, subscribers)
    if wanted.utility is not None:
        statement = statement.where(subscribers.c.utility == wanted.utility)
    if wanted.state is not None:
        statement = statement.where(readings.c.state == wanted.state.value)
    if wanted.since is not None:
        statement = statement.where(readings.c.read_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(readings.c.read_at < wanted.until)
    statement = statement.order_by(readings.c.read_at.desc(), readings.c.id.desc())
    return [Listed._make(row) for row in connection.execute(statement.limit(wanted.limit))]


def decide(connection: Connection, ids: IdMaker, decision: Decision, words: Words) -> Decided:
    """Make a decision; in one transaction with its event and its message.

    Raises ``DecisionError`` when there is no such reading, its state does not allow it, the
    note is too long, or a later bill stands on the one that would be withdrawn.
    """
    _check_note(decision)
    found = connection.execute(_ONE, {"id": decision.reading_id}).mappings().one_or_none()
    if found is None:
        raise DecisionError(f"there is no reading {decision.reading_id}")
    if decision.state not in _MAY_BECOME[ReadingState(found["state"])]:
        raise DecisionError(f"reading {found['id']} is {found['state']} already")
    _change(connection, decision, found["state"])
    rejected = decision.state is ReadingState.REJECTED
    case = _Case(decision, found, _withdraw(connection, found) if rejected else "")
    event = _note_event(connection, ids, case)
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


def _check_note(decision: Decision) -> None:
    if len(decision.note) > LONGEST_NOTE:
        raise DecisionError(
            f"a note may have {LONGEST_NOTE} characters, this one has {len(decision.note)}"
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
        raise DecisionError(f"reading {decision.reading_id} was decided on a moment ago")


def _withdraw(connection: Connection, found: RowMapping) -> str:
    """Withdraw the mid-period bill that was made of a reading; its period, or ``""``.

    What was owed before it is owed again, as a balance is counted from the newest bill.
    """
    since = _bills_since(connection, found)
    made = next((bill for bill in since if _is_made_of(bill, found)), None)
    if made is None:
        return ""
    period: str = made["period"]
    if made["id"] != since[0]["id"]:
        raise DecisionError(
            f"the bill {period} was made of reading {found['id']}, and {since[0]['period']} "
            "stands on it: put that right with a correction"
        )
    connection.execute(delete(bills).where(bills.c.id == made["id"]))
    return period


def _bills_since(connection: Connection, found: RowMapping) -> Sequence[RowMapping]:
    """The subscription's bills since a reading, the newest first."""
    statement = (
        select(bills.c.id, bills.c.period, bills.c.kind, bills.c.to_reading, bills.c.issued_at)
        .where(bills.c.subscriber_id == found["subscriber_id"])
        .where(bills.c.issued_at >= found["read_at"])
        .order_by(bills.c.issued_at.desc(), bills.c.id.desc())
    )
    return connection.execute(statement).mappings().all()


def _is_made_of(bill: RowMapping, found: RowMapping) -> bool:
    in_time: bool = bill["issued_at"] <= found["read_at"] + BILLED_WITHIN_MS
    same: bool = bill["to_reading"] == found["reading"]
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


def _note_event(connection: Connection, ids: IdMaker, case: _Case) -> Event:
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
    events = Events()
    events.ids = ids
    event = Event(kind, found["utility"], decision.now, about, *whom)
    events.add(event)
    events.store(connection)
    return event


def _tell(connection: Connection, ids: IdMaker, case: _Case, words: Words) -> str | None:
    """Queue the message to the mobile that sent the reading; the mobile, if it is told."""
    decision, found, withdrawn = case
    mobile: str | None = found["mobile"]
    if mobile is None:
        return None
    facts: dict[str, Scalar] = {"number": found["number"], "reading": found["reading"]}
    if case.rejected:
        facts |= {"note": decision.note, "withdrawn": bool(withdrawn)}
    outcome = Outcome(DECISION, decision.state.value, facts)
    said = words(found["utility"], found["line"] or "", outcome)
    if said is None:
        return None
    line, texts = said
    parts = ids.take(len(texts))
    notice = Notice(parts, mobile, line, texts, found["subscriber_id"], decision.now)
    store_notices(connection, [notice])
    return mobile


_LISTED = (
    readings.c.id,
    subscribers.c.utility,
    subscribers.c.number,
    readings.c.reading,
    readings.c.read_at,
    readings.c.state,
    readings.c.meter_state,
    readings.c.source,
    readings.c.mobile,
    readings.c.decided_at,
    readings.c.decided_by,
    readings.c.note,
)
_ONE = (
    select(*_LISTED, readings.c.subscriber_id, inbox.c.line)
    .join_from(readings, subscribers)
    .outerjoin(inbox, inbox.c.id == readings.c.inbox_id)
    .where(readings.c.id == bindparam("id"))
)
