"""A text worked on by itself: what was understood, called and answered, and what it changed.

For people who look into it: a text on the phone of the desk, or a message of the inbox that is
run again. ``rehearsed`` does it and takes it back, so that what would change is seen before
anything has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, event, update

from core.access.logins import count_failure
from core.batch import SMS, Mind
from core.browse import Received
from core.calls import MISREAD, Call, Outcome, Problem, Refusal
from core.dialogues.exchange import Exchange
from core.dialogues.limits import Limits, OpenSessions
from core.dialogues.types import Input, Shown, Talker
from core.dialogues.work import work_on_inputs
from core.facts import Facts, Wanted
from core.identity import load_contacts
from core.ids import IdMaker
from core.inbox import ANSWERED
from core.manual import ByHand, check_unanswered, note_by_hand
from core.operations import REGISTRY
from core.operations.operation import IDENTITY_OUTCOMES, supports
from core.outbox import Answer, store_answers
from core.particulars import load_particulars
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import code_failures, inbox

R = TypeVar("R")

_NO_NODE = 0
_ENOUGH = Limits(sessions=2**31, dials_per_minute=2**31, inputs_per_minute=2**31)
"""Whoever tries a menu out types as much as they like."""
_BESIDES = frozenset({"inbox", "outbox", "manual_replies", "ussd_sessions", "ussd_steps"})
"""What is stored of every message, whatever it does."""


class Text(NamedTuple):
    """A text to be worked on, as if it came now."""

    mind: Mind
    """Of the line that it is sent to."""
    line: str
    mobile: str
    text: str
    now: int
    """UTC milliseconds."""
    message_id: int
    """What its effects are said to be brought by."""
    shown: tuple[str, ...] = ()
    """Numbers of subscriptions that a right to has been shown before."""


class Effect(NamedTuple):
    """Rows of one table that were changed."""

    table: str
    verb: str
    """``add``, ``change`` or ``delete``."""
    rows: int


class Tried(NamedTuple):
    """What came of a text."""

    masked: str
    """It, with the secret code masked."""
    call: Call | None
    """The operation that was run; None for a text that names none."""
    readings: int
    """How many ways to read it its form allowed."""
    outcome: Outcome
    subscription: str | None
    """Its number, where it was about one."""
    subscriber_id: int | None
    texts: Sequence[str]
    """The reply, in parts."""
    language: str


class Guess(NamedTuple):
    """Who tries: what is taken back would be no hindrance to guessing secret codes."""

    user: str
    address: str
    now: int
    known: int = 0
    """Wrong codes that were counted before, and are typed again."""


class Dialled(NamedTuple):
    """What came of a session that was dialled."""

    shown: Sequence[Shown]
    """The screens, in their order."""
    operations: Sequence[tuple[str, str]]
    """Operation and outcome of each call."""
    masked: Sequence[str]
    """What was typed, with secret codes masked."""
    notes: Sequence[Sequence[str]]
    """Texts that would be sent besides, each in parts."""
    subscriber_ids: frozenset[int]
    """The subscriptions that its calls were about."""


def work_on_text(connection: Connection, keys: Keys, ids: IdMaker, text: Text) -> Tried:
    """Understand it, run its operation and store what that changes; the reply is not stored."""
    asker = Asker(
        utility=text.mind.utility,
        mobile=text.mobile,
        at=text.now,
        terms=text.mind.terms,
        source=SMS,
        message_id=text.message_id,
        line=text.line,
        shown=text.shown,
    )
    understanding = text.mind.understand(text.text)
    facts = Facts.load(
        connection,
        ids,
        [
            Wanted(asker, each.call, REGISTRY[each.call.operation].needs)
            for each in understanding.candidates
        ],
    )
    chosen = text.mind.choose(understanding, lambda call: supports(keys, asker, call, facts))
    call, masked, about = None, understanding.masked, None
    if isinstance(chosen, Problem):
        outcome = Outcome(MISREAD, chosen.kind.value, chosen.facts)
    else:
        call, masked = chosen
        outcome = REGISTRY[call.operation](keys, asker, call, facts)
        found = facts.identities.subscribers_of(asker, call)
        about = found[0] if len(found) == 1 else None
    facts.store(connection)
    return Tried(
        masked,
        call,
        len(understanding.candidates),
        outcome,
        about.number if about else None,
        about.id if about else None,
        text.mind.reply(outcome, understanding.language),
        understanding.language,
    )


class Again(NamedTuple):
    """A message of the inbox that is run again, for whom."""

    text: Text
    by: str
    answers_seen: int
    """How many answers it had when what would be done was shown."""


def redo(connection: Connection, keys: Keys, ids: IdMaker, again: Again) -> Tried:
    """Run a message of the inbox again; its row then tells of this run, its reply is queued.

    The text that came stays as it came. The reply is one that ``by`` has had written. Raises
    ``AnsweredMeanwhile``.
    """
    text = again.text
    check_unanswered(connection, text.message_id, again.answers_seen)
    tried = work_on_text(connection, keys, ids, text)
    made = ids.take(len(tried.texts))
    about = (text.message_id, text.mobile, text.line, tried.texts, tried.subscriber_id)
    store_answers(connection, [Answer(made, *about, text.now, None)], _NO_NODE)
    note_by_hand(connection, ByHand(made[0], text.message_id, again.by, text.now))
    connection.execute(
        update(inbox)
        .where(inbox.c.id == text.message_id)
        .values(
            state=ANSWERED,
            operation=tried.outcome.operation,
            outcome=tried.outcome.kind,
            subscriber_id=tried.subscriber_id,
            reply_id=made[0],
            error=None,
        )
    )
    return tried


def dial(
    connection: Connection,
    keys: Keys,
    ids: IdMaker,
    talkers: Mapping[str, Talker],
    inputs: Sequence[Input],
) -> Dialled:
    """Work on the inputs of one session as a batch does."""
    exchange = Exchange(_NO_NODE, ids, keys, talkers, _ENOUGH, OpenSessions())
    worked = work_on_inputs(connection, exchange, inputs, {})
    return Dialled(
        worked.shown,
        worked.operations,
        [step.text for step in worked.steps],
        [note.texts for note in worked.notes],
        frozenset(step.subscriber_id for step in worked.steps if step.subscriber_id is not None),
    )


def guarded(
    connection: Connection, guess: Guess, function: Callable[..., R], *args: Any
) -> tuple[R, Sequence[Effect]]:
    """What ``rehearsed`` gives; a wrong code counts against who tries, not the subscriber.

    Raises ``LockedOut`` after as many as a login may have.
    """
    with connection.begin_nested() as savepoint:
        count_failure(connection, f"code:{guess.user}", guess.address, guess.now)
        result, effects = rehearsed(connection, function, *args)
        if wrong_codes(effects) <= guess.known:
            savepoint.rollback()
    return result, effects


def wrong_codes(effects: Sequence[Effect]) -> int:
    """How many wrong secret codes were among what was tried."""
    return sum(each.rows for each in effects if each.table == code_failures.name)


def rights_shown(received: Received, mind: Mind) -> tuple[str, ...]:
    """The number of the subscription that a message has shown a right to when it came.

    Its secret code is not kept. Only of operations that run for nobody without a right.
    """
    operation = REGISTRY.get(received.operation)
    is_shown = (
        operation is not None
        and operation.run is None
        and operation.run_for is not None
        and received.operation not in mind.terms.policy.open_operations
        and received.outcome not in {*IDENTITY_OUTCOMES, Refusal.FAILED}
    )
    return (received.subscription,) if is_shown and received.subscription else ()


def looked_at(
    connection: Connection, utility: str, mobile: str, subscriber_ids: Collection[int]
) -> dict[int, str]:
    """Whose data a try may have shown: subscriptions of the mobile and these, with the names."""
    own = load_contacts(connection, [(utility, mobile)]).get((utility, mobile), ())
    found = load_particulars(connection, {*subscriber_ids, *(each.id for each in own)})
    return {key: each.name for key, each in found.items()}


def rehearsed(
    connection: Connection, function: Callable[..., R], *args: Any
) -> tuple[R, Sequence[Effect]]:
    """What ``function(connection, *args)`` gives, and what it changed before it was taken back."""
    with connection.begin_nested() as savepoint:
        with _watched(connection) as changed:
            result = function(connection, *args)
        savepoint.rollback()
    return result, [Effect(*key, rows) for key, rows in sorted(changed.items()) if rows]


@contextmanager
def _watched(connection: Connection) -> Iterator[Counter[tuple[str, str]]]:
    """Count the rows that statements change meanwhile."""
    changed = Counter[tuple[str, str]]()

    def after(_c: Any, cursor: Any, _s: str, _p: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's
        compiled = context.compiled
        table = getattr(compiled.statement, "table", None) if compiled is not None else None
        verb = (
            "add" if context.isinsert else "change" if context.isupdate
            else "delete" if context.isdelete else ""
        )  # fmt: skip
        if table is not None and verb and table.name not in _BESIDES:
            changed[table.name, verb] += max(cursor.rowcount, 0)

    event.listen(connection, "after_cursor_execute", after)
    try:
        yield changed
    finally:
        event.remove(connection, "after_cursor_execute", after)
