"""``register_mobile``, ``list_mobiles``, ``my_subscriptions``, ``remove_mobile``.

Source: seed 000, annex 2, pattern 4 (ثبت شماره تلفن همراه). One mobile may act for several
subscriptions, and several mobiles for one. A mobile that is registered sees personal data
without the code, so only the code registers one, whatever a profile leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.contacts import Contacts
from core.events import Event, EventKind, Events
from core.facts import Facts
from core.history import MOST_ROWS, start_of
from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.operations.listing import LIST_OUTCOMES, LISTING, listing
from core.operations.operation import (
    IDENTITY_OUTCOMES,
    NAMING,
    NOTHING,
    Operation,
    done,
    is_proven,
    refused,
)
from core.shelf import Asker, Subscriber

R = TypeVar("R")


def shown_mobile(mobile: str) -> str:
    """A mobile as its owner knows it again and a stranger cannot call it: ``0913***4567``."""
    return f"0{mobile[2:5]}***{mobile[-4:]}"


def _register(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    number = subscriber.number
    if not is_proven(asker, call, facts, subscriber):
        return refused(call, Refusal.CODE_NEEDED)
    contacts = facts.of(Contacts)
    mobiles = contacts.of(subscriber)
    if asker.mobile in mobiles:
        return refused(call, Refusal.ALREADY_REGISTERED, number=number)
    if mobiles and not contacts.has_asked(asker, subscriber):
        contacts.ask(asker, subscriber)
        return refused(call, Refusal.CONFIRM_MOBILE, number=number, count=len(mobiles))
    contacts.add(asker, subscriber)
    facts.identities.add_contact(asker.utility, asker.mobile, subscriber)
    note_change(asker, facts, EventKind.MOBILE_REGISTERED, subscriber, asker.mobile)
    return done(call, number=number, count=len(mobiles) + 1)


def _list(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    if not is_proven(asker, call, facts, subscriber):
        return refused(call, Refusal.CODE_NEEDED)
    mobiles = facts.of(Contacts).of(subscriber)
    start = start_of(call)
    rows = [{"mobile": shown_mobile(each)} for each in _slice(mobiles, start)]
    if mobiles and not rows:
        return refused(call, Refusal.NO_MORE, count=len(mobiles))
    return done(call, number=subscriber.number, count=len(mobiles), **listing(rows, start))


def _own(asker: Asker, call: Call, facts: Facts) -> Outcome:
    own = facts.identities.registered(asker)
    if not own:
        return refused(call, Refusal.NOT_REGISTERED)
    start = start_of(call)
    rows = [{"number": each.number} for each in _slice(own, start)]
    if not rows:
        return refused(call, Refusal.NO_MORE, count=len(own))
    return done(call, count=len(own), **listing(rows, start))


def _remove(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> Outcome:
    if not is_proven(asker, call, facts, subscriber):
        return refused(call, Refusal.CODE_NEEDED)
    try:
        mobile = normal_mobile(call.arguments.get(Argument.MOBILE, asker.mobile))
    except MobileError:
        mobile = ""
    contacts = facts.of(Contacts)
    if mobile not in contacts.of(subscriber):
        return refused(call, Refusal.NOT_SUBSCRIBED, number=subscriber.number)
    contacts.remove(subscriber, mobile)
    facts.identities.remove_contact(asker.utility, mobile, subscriber)
    note_change(asker, facts, EventKind.MOBILE_REMOVED, subscriber, mobile)
    return done(call, number=subscriber.number, mobile=shown_mobile(mobile))


def note_change(
    asker: Asker, facts: Facts, kind: EventKind, subscriber: Subscriber, mobile: str
) -> None:
    """Add the event that a mobile was registered to a subscription, or taken away from it."""
    about = {"number": subscriber.number, "mobile": shown_mobile(mobile)}
    facts.of(Events).add(Event(kind, asker.utility, asker.at, about, subscriber.id, mobile))


def _slice(rows: Sequence[R], start: int) -> Sequence[R]:
    return rows[start - 1 : start + MOST_ROWS]


REGISTER_MOBILE = Operation(
    name="register_mobile",
    required=frozenset(),
    optional=NAMING,
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "count"}),
        Refusal.ALREADY_REGISTERED: frozenset({"number"}),
        Refusal.CONFIRM_MOBILE: frozenset({"number", "count"}),
    },
    needs=frozenset({Contacts, Events}),
    run_for=_register,
)

LIST_MOBILES = Operation(
    name="list_mobiles",
    required=frozenset(),
    optional=NAMING | {Argument.START},
    outcomes={
        **IDENTITY_OUTCOMES,
        **LIST_OUTCOMES,
        DONE: frozenset({"number", "count"}) | LISTING,
    },
    needs=frozenset({Contacts}),
    run_for=_list,
    rows=frozenset({"mobile"}),
)

MY_SUBSCRIPTIONS = Operation(
    name="my_subscriptions",
    required=frozenset(),
    optional=frozenset({Argument.START}),
    outcomes={
        **LIST_OUTCOMES,
        DONE: frozenset({"count"}) | LISTING,
        Refusal.NOT_REGISTERED: NOTHING,
    },
    needs=frozenset(),
    run=_own,
    rows=frozenset({"number"}),
)

REMOVE_MOBILE = Operation(
    name="remove_mobile",
    required=frozenset(),
    optional=NAMING | {Argument.MOBILE},
    outcomes={
        **IDENTITY_OUTCOMES,
        DONE: frozenset({"number", "mobile"}),
        Refusal.NOT_SUBSCRIBED: frozenset({"number"}),
    },
    needs=frozenset({Contacts, Events}),
    run_for=_remove,
)
