"""The inputs of a batch, worked on together.

In rounds: each session goes on until its menu asks for a call; all these calls are loaded,
run and stored as one; their outcomes go back to the menus, and so on until every input is
settled. So the number of statements depends on how deep menus ask, never on how many dial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from core.dialogues.asking import Asked, Ran
from core.dialogues.exchange import EXPIRED, Exchange, Worked
from core.dialogues.rows import (
    Found,
    end_oldest,
    load_sessions,
    mobiles_of,
    store_sessions,
    store_steps,
)
from core.dialogues.talk import Calls, Talk
from core.dialogues.types import Event, Input
from core.events import Events
from core.facts import Facts, Wanted
from core.identity import load_contacts
from core.operations import REGISTRY
from core.optouts import OptOuts
from core.outbox import store_answers
from core.statements import sent_together


def work_on_inputs(
    connection: Connection,
    exchange: Exchange,
    inputs: Sequence[Input],
    repeats: Mapping[int, int],
) -> Worked:
    """Work on inputs, and store what comes of them.

    ``repeats``: of inputs that had come before, the id they are stored as.
    """
    worked = Worked()
    if not inputs:
        return worked
    _make_room(connection, exchange, inputs, worked)
    by_mobile = _by_mobile(connection, inputs)
    found = load_sessions(connection, by_mobile.keys() - {""})
    contacts = load_contacts(connection, _askers(exchange, by_mobile, found))

    def own(utility: str, mobile: str) -> tuple[str, ...]:
        return tuple(each.number for each in contacts.get((utility, mobile), ()))

    talks = [
        Talk(exchange, found.get(mobile), own, worked).over(theirs, repeats)
        for mobile, theirs in by_mobile.items()
    ]
    _in_rounds(connection, exchange, talks, worked)
    with sent_together(connection):
        store_sessions(connection, list(worked.sessions.values()))
        store_steps(connection, worked.steps)
        store_answers(connection, worked.notes, exchange.node)
    return worked


def _make_room(
    connection: Connection,
    exchange: Exchange,
    inputs: Sequence[Input],
    worked: Worked,
) -> None:
    """End the oldest sessions where there would be too many."""
    begin = sum(one.event is Event.BEGIN for one in inputs)
    too_many = exchange.sessions.count + begin - exchange.limits.sessions
    if begin and too_many > 0:
        now = max(one.received_at for one in inputs)
        worked.counters[EXPIRED] += end_oldest(connection, too_many, now)


def _by_mobile(connection: Connection, inputs: Sequence[Input]) -> dict[str, list[Input]]:
    """The inputs of each mobile, in their order; of nobody those whose session is not known."""
    names: dict[tuple[str, str], str] = {
        (one.door, one.network_id): one.mobile for one in inputs if one.mobile
    }
    unnamed = {(one.door, one.network_id) for one in inputs if not one.mobile}
    names = mobiles_of(connection, unnamed - names.keys()) | names
    found: dict[str, list[Input]] = {}
    for one in inputs:
        mobile = one.mobile or names.get((one.door, one.network_id), "")
        found.setdefault(mobile, []).append(one)
    return found


def _askers(
    exchange: Exchange, by_mobile: Mapping[str, Sequence[Input]], found: Mapping[str, Found]
) -> set[tuple[str, str]]:
    """Whose own subscriptions menus may ask for: (utility, mobile)."""
    askers: set[tuple[str, str]] = set()
    for mobile, inputs in by_mobile.items():
        lines = {one.line for one in inputs}
        if mobile in found:
            lines.add(found[mobile].session.line)
        talkers = (exchange.talkers.get(line) for line in lines)
        askers |= {(talker.utility, mobile) for talker in talkers if talker and mobile}
    return askers


class _Waiting(NamedTuple):
    talk: Calls
    asked: Asked


def _in_rounds(
    connection: Connection, exchange: Exchange, talks: Sequence[Calls], worked: Worked
) -> None:
    """Go on with all of them until none asks for a call."""
    waiting = [_Waiting(talk, asked) for talk in talks for asked in _first(talk)]
    while waiting:
        facts = Facts.load(
            connection,
            exchange.ids,
            [
                Wanted(asked.asker, asked.call, REGISTRY[asked.call.operation].needs)
                for _, asked in waiting
            ],
        )
        ran = [_ran(exchange, asked, facts) for _, asked in waiting]
        facts.store(connection)
        worked.unwanted += facts.of(OptOuts).in_hand
        worked.happened |= facts.of(Events).waits
        waiting = [
            _Waiting(talk, asked)
            for (talk, _), outcome in zip(waiting, ran, strict=True)
            for asked in _next(talk, outcome)
        ]


def _first(talk: Calls) -> Iterable[Asked]:
    try:
        yield next(talk)
    except StopIteration:
        return


def _next(talk: Calls, ran: Ran) -> Iterable[Asked]:
    try:
        yield talk.send(ran)
    except StopIteration:
        return


def _ran(exchange: Exchange, asked: Asked, facts: Facts) -> Ran:
    asker, call = asked
    outcome = REGISTRY[call.operation](exchange.keys, asker, call, facts)
    about = facts.identities.subscribers_of(asker, call)
    return Ran(outcome, about[0].id if len(about) == 1 else None)
