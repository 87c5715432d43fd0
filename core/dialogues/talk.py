"""One mobile's inputs of a batch, in their order, and the session that they are about.

A ``Talk`` is a generator: it gives out the calls that the menu asks for and is sent their
outcomes, so that the calls of all mobiles can be run together (``core.dialogues.work``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final

from core.dialogues.asking import Asked, Ran, Told, told
from core.dialogues.exchange import (
    BUSY,
    ENDED,
    EXPIRED,
    LATE,
    LIMITED,
    OPENED,
    REPEATED,
    UNKNOWN,
    Exchange,
    Worked,
)
from core.dialogues.joined import untangled
from core.dialogues.limits import Minute
from core.dialogues.rows import (
    BY_EXPIRED,
    BY_LIMIT,
    BY_MENU,
    BY_REPLACED,
    BY_TIMEOUT,
    BY_USER,
    Found,
    Session,
    Step,
    begun,
)
from core.dialogues.types import Ending, Event, Heard, Input, Said, Shown, Talker
from core.outbox import Answer
from core.text import without_digits

_DIALS: Final = frozenset({Event.BEGIN, Event.OPEN})
UNNAMED: Final = "="
"""The turn of a session that we began, until the network says what it calls it."""


Calls = Generator[Asked, Ran, None]
Own = Callable[[str, str], tuple[str, ...]]
"""Utility and mobile → the numbers that the mobile is registered to."""


class Talk:
    """The session of one mobile while a batch works on its inputs."""

    def __init__(self, exchange: Exchange, found: Found | None, own: Own, worked: Worked) -> None:
        self._exchange = exchange
        self._own = own
        self._worked = worked
        self._session = found.session if found else None
        self._last_print = found.fingerprint if found else 0

    def over(self, inputs: list[Input], repeats: Mapping[int, int]) -> Calls:
        """Work on these inputs.

        ``repeats``: of inputs that are known to have come before, the id they are stored as.
        """
        for one in inputs:
            self._expire(one.received_at)
            if self._is_repeated(one, repeats):
                continue
            session = self._session
            if session is not None and session.turn == UNNAMED and one.event not in _DIALS:
                session = self._keep(session._replace(network_id=one.network_id, turn=""))
            before = session.turn if session and session.network_id == one.network_id else None
            clear = untangled(one, before)
            match clear.event:
                case Event.BEGIN | Event.OPEN:
                    yield from self._begin(clear)
                case Event.ANSWER:
                    yield from self._answer(clear)
                case Event.CONFIRM:
                    self._end(clear, BY_MENU)
                case Event.TIMEOUT:
                    self._end(clear, BY_TIMEOUT)
                case _:
                    self._end(clear, BY_USER)

    # --- what has come before -------------------------------------------------------

    def _is_repeated(self, one: Input, repeats: Mapping[int, int]) -> bool:
        """Whether it has been worked on; its screen is shown again if it was the last one."""
        session, known = self._session, repeats.get(one.id)
        is_last = (
            session is not None
            and session.network_id == one.network_id
            and (session.ended_at is None or session.ended_by == BY_MENU)
            and (
                known == session.last_input_id
                if known is not None
                else bool(one.turn)
                and one.turn == session.turn
                and one.fingerprint == self._last_print
            )
        )
        if known is None and not is_last:
            return False
        self._worked.counters[REPEATED] += 1
        if is_last and session is not None:
            self._worked.repeated[one.id] = session.last_input_id
            if session.screen:
                self._show(one, session.screen, ends=session.ended_at is not None)
        return True

    # --- beginning, answering, ending -----------------------------------------------

    def _begin(self, one: Input) -> Calls:
        talker = self._exchange.talkers.get(one.line)
        if talker is None or not one.mobile:
            self._worked.counters[UNKNOWN] += 1
            self._show(one, talker.last_words(Ending.FAILED) if talker else "", ends=True)
            return
        last = self._session
        if one.event is Event.OPEN and last is not None and last.ended_at is None:
            self._worked.counters[BUSY] += 1
            return
        cut = self._cut(last, one, talker)
        if last is not None and last.ended_at is None:
            last = self._finish(last, one.received_at, BY_REPLACED)
        minute = _minute(last, one)
        is_dial = one.event is Event.BEGIN
        if is_dial and last is not None and minute.is_too_much(self._exchange.limits, dial=True):
            self._worked.counters[LIMITED] += 1
            self._keep(last.with_minute(minute))
            self._show(one, talker.last_words(Ending.LIMIT), ends=True)
            return
        self._worked.counters[OPENED] += 1
        yield from self._step(one, begun(one, talker, minute), talker, cut)

    def _cut(self, last: Session | None, one: Input, talker: Talker) -> str:
        """The state of a session that was cut off and may be gone on with, or nothing."""
        if last is None or last.line != one.line or one.event is not Event.BEGIN:
            return ""
        # A handset dials only when nothing is open on it: what is live here was cut unsaid.
        since = one.received_at if last.ended_at is None else last.ended_at
        is_cut = last.ended_by not in {BY_MENU, BY_LIMIT}
        return last.state if is_cut and one.received_at - since < talker.resume_ms else ""

    def _answer(self, one: Input) -> Calls:
        session = self._session
        talker = self._exchange.talkers.get(session.line if session else one.line)
        if (
            session is None
            or talker is None
            or session.network_id != one.network_id
            or not session.is_live(one.received_at)
        ):
            self._worked.counters[LATE] += 1
            self._show(one, talker.last_words(Ending.OVER) if talker else "", ends=True)
            return
        session = session.with_minute(session.minute.with_one(one.received_at, dial=False))
        if session.minute.is_too_much(self._exchange.limits, dial=False):
            self._worked.counters[LIMITED] += 1
            self._finish(session, one.received_at, BY_LIMIT)
            self._show(one, talker.last_words(Ending.LIMIT), ends=True)
            return
        yield from self._step(one, session, talker, "")

    def _end(self, one: Input, by: str) -> None:
        """It is over without anything to show."""
        session = self._session
        if session is None or session.network_id != one.network_id or session.ended_at is not None:
            self._worked.counters[LATE] += 1
            return
        self._worked.shown = [
            each
            for each in self._worked.shown
            if (each.mobile, each.network_id) != (session.mobile, session.network_id)
        ]
        ended = session._replace(changed_at=one.received_at, steps=session.steps + 1)
        self._finish(ended, one.received_at, by)
        self._store(one, session, None)

    def _expire(self, at: int) -> None:
        session = self._session
        if session is not None and session.ended_at is None and not session.is_live(at):
            self._worked.counters[EXPIRED] += 1
            self._keep(session.ended(session.expires_at, BY_EXPIRED))

    # --- a step ---------------------------------------------------------------------

    def _step(self, one: Input, session: Session, talker: Talker, cut: str) -> Calls:
        own = self._own(session.utility, session.mobile)
        heard = Heard(one.event, one.text, one.received_at, own, cut)
        came = yield from told(one, session, heard, talker, self._exchange.error)
        self._worked.operations += ((ran.outcome.operation, ran.outcome.kind) for ran in came.ran)
        self._settle(one, session, talker, came.said)
        self._store(one, session, came)
        for texts in came.notes if talker.sms_line else ():
            self._note(one, session, talker.sms_line, texts)

    def _settle(self, one: Input, session: Session, talker: Talker, said: Said) -> None:
        """The session as it is after a step, and what its handset shows."""
        ends = said.ends or not said.screen
        opens = None
        if one.event is Event.OPEN:
            opens = Event.CONFIRM if ends else Event.OPEN
        changed = session._replace(
            door=one.door,
            state=said.state,
            screen=said.screen,
            last_input_id=one.id,
            turn=UNNAMED if opens else one.turn,
            steps=session.steps + 1,
            changed_at=one.received_at,
            expires_at=one.received_at + talker.timeout_ms,
        )
        self._last_print = one.fingerprint
        if ends and opens is None:
            self._finish(changed, one.received_at, BY_MENU)
        else:
            # A notification is over when the handset has shown it.
            self._keep(changed)
        if said.screen or opens is None:
            self._show(one, said.screen, ends=ends, opens=opens)

    def _note(self, one: Input, session: Session, line: str, texts: Sequence[str]) -> None:
        """Send a text to the mobile besides."""
        ids = self._exchange.ids.take(len(texts))
        about = (one.id, session.mobile, line, texts, None, one.received_at, None)
        self._worked.notes.append(Answer(ids, *about))

    # --- what is kept ---------------------------------------------------------------

    def _keep(self, session: Session) -> Session:
        self._session = self._worked.sessions[session.mobile] = session
        return session

    def _finish(self, session: Session, at: int, by: str) -> Session:
        self._worked.counters[ENDED] += 1
        return self._keep(session.ended(at, by))

    def _store(self, one: Input, session: Session, came: Told | None) -> None:
        last = came.ran[-1] if came and came.ran else None
        self._worked.steps.append(
            Step(
                one.id,
                session.id,
                one.received_at,
                one.door,
                session.line,
                session.mobile,
                one.event.value,
                (came.masked if came else "") or without_digits(one.text),
                one.fingerprint,
                last.outcome.operation if last else "",
                last.outcome.kind if last else "",
                last.subscriber_id if last else None,
                self._exchange.error or None,
            )
        )

    def _show(self, one: Input, text: str, *, ends: bool, opens: Event | None = None) -> None:
        session = self._session
        self._worked.shown.append(
            Shown(
                one.id,
                one.door,
                one.network_id,
                one.mobile or (session.mobile if session else ""),
                # Who dials may have been in a session of another line before.
                one.line or (session.line if session and one.event is not Event.BEGIN else ""),
                text,
                ends,
                opens,
                one.turn,
            )
        )


def _minute(last: Session | None, one: Input) -> Minute:
    """What a mobile has sent with a dial of its own, or with one that we made."""
    before = last.minute if last else Minute()
    return before if one.event is Event.OPEN else before.with_one(one.received_at, dial=True)
