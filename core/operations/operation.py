"""What an operation is, and how a call shows its right to a subscription."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from core.calls import DONE, Argument, Call, Fact, Outcome, Refusal
from core.facts import Facts
from core.identity import identifying, minutes_left
from core.secrecy import Keys
from core.shelf import Asker, Shelf, Subscriber

Run: TypeAlias = Callable[[Asker, Call, Facts], Outcome]
RunFor: TypeAlias = Callable[[Asker, Call, Facts, Subscriber], Outcome]
RunShown: TypeAlias = Callable[[Asker, Call, Facts, Subscriber | Outcome], Outcome]

NOTHING: frozenset[str] = frozenset()
NOTHING_SAID: frozenset[Argument] = frozenset()
IDENTIFYING = frozenset({Argument.NUMBER, Argument.BILL_ID, Argument.METER_SERIAL})
"""Any of these names a subscription."""
NAMING = IDENTIFYING | {Argument.CODE}
"""What an operation about a subscription can be given to say, and show, which."""
IDENTITY_OUTCOMES: Mapping[str, frozenset[str]] = {
    Refusal.NOT_RECOGNISED: NOTHING,
    Refusal.LOCKED_OUT: frozenset({"minutes"}),
    Refusal.NOT_REGISTERED: NOTHING,
    Refusal.WHICH_SUBSCRIPTION: frozenset({"count"}),
    Refusal.CODE_NEEDED: NOTHING,
}
"""The refusals of every operation that is about one subscription."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a subscriber may ask for."""

    name: str
    required: frozenset[Argument]
    """What a call must bring, beyond what shows whose subscription it is about."""
    optional: frozenset[Argument]
    outcomes: Mapping[str, frozenset[str]]
    """Every kind of outcome, with the names of the facts it brings."""
    needs: frozenset[type[Shelf]]
    run: Run | None = None
    """For operations that are about nobody's subscription …"""
    run_for: RunFor | None = None
    """… and for those that are about one that the asker has shown a right to."""
    open_with: frozenset[Argument] = NOTHING_SAID
    """With both: a call that brings all of these needs no right and goes to ``run``."""
    run_shown: RunShown | None = None
    """For those that need not be about one: given the subscription, or the refusal instead."""
    rows: frozenset[str] = NOTHING
    """Of an operation that answers with a list (``core.operations.listing``): what each of its
    rows holds."""

    def __call__(self, keys: Keys, asker: Asker, call: Call, facts: Facts) -> Outcome:
        """Run the operation; a refusal to show the subscription is an outcome as well."""
        is_open = self.run_for is None or self.open_with <= call.arguments.keys()
        if self.run is not None and is_open:
            return self.run(asker, call, facts)
        if self.run_shown is not None:
            return self.run_shown(asker, call, facts, identify(keys, asker, call, facts))
        assert self.run_for is not None  # noqa: S101 - one of the two, by construction
        shown = identify(keys, asker, call, facts)
        if isinstance(shown, Outcome):
            return shown
        return self.run_for(asker, call, facts, shown)


def done(call: Call, **facts: Fact) -> Outcome:
    """The outcome of an operation that did what was asked."""
    return Outcome(call.operation, DONE, facts)


def refused(call: Call, why: Refusal, **facts: Fact) -> Outcome:
    """The outcome of an operation that did not."""
    return Outcome(call.operation, why.value, facts)


def supports(keys: Keys, asker: Asker, call: Call, facts: Facts) -> bool:
    """Whether the data supports reading a message as this call.

    Used to choose among the readings of one message: the subscription exists, and the code
    is its code. Nothing of it is told to the subscriber.
    """
    found = facts.identities.subscribers_of(asker, call)
    code = call.arguments.get(Argument.CODE)
    if not identifying(call) or Argument.PAYMENT_ID in call.arguments:
        return bool(found)
    if code is None:
        # A stranger's right is the code: else a year could be tried where a code is meant,
        # and a wrong one would not be counted.
        own = facts.identities.registered(asker)
        is_open = call.operation in asker.policy.open_operations
        return any(is_open or each in own for each in found)
    return any(
        keys.code_matches(each.code_hash, asker.utility, each.number, code) for each in found
    )


def identify(keys: Keys, asker: Asker, call: Call, facts: Facts) -> Subscriber | Outcome:
    """The subscription that the call shows a right to, or the refusal to give.

    A right is shown by the secret code, or by a mobile that is registered to the
    subscription; a mobile registered to exactly one may leave out the number too.
    """
    if identifying(call):
        if Argument.CODE in call.arguments:
            return _by_code(keys, asker, call, facts)
        return _named(asker, call, facts)
    own = facts.identities.registered(asker)
    if not own:
        return refused(call, Refusal.NOT_REGISTERED)
    if len(own) > 1:
        return refused(call, Refusal.WHICH_SUBSCRIPTION, count=len(own))
    return own[0]


def _named(asker: Asker, call: Call, facts: Facts) -> Subscriber | Outcome:
    """The subscription that is named without a code."""
    named = facts.identities.subscribers_of(asker, call)
    if len(named) == 1 and (
        is_shown(asker, facts, named[0]) or call.operation in asker.policy.open_operations
    ):
        return named[0]
    if call.operation in asker.policy.open_operations:
        return refused(call, Refusal.NOT_RECOGNISED)
    return refused(call, Refusal.CODE_NEEDED)


def is_proven(asker: Asker, call: Call, facts: Facts, subscriber: Subscriber) -> bool:
    """Whether the asker has shown a right to personal data, and not only named a number.

    For an operation that has been identified: a code in its call was the right one.
    """
    return Argument.CODE in call.arguments or is_shown(asker, facts, subscriber)


def is_shown(asker: Asker, facts: Facts, subscriber: Subscriber) -> bool:
    """Whether the asker has a right to this subscription without a code in the call.

    Its mobile is registered to it, or its code was given earlier in the same session.
    """
    return subscriber.number in asker.shown or subscriber in facts.identities.registered(asker)


def _by_code(keys: Keys, asker: Asker, call: Call, facts: Facts) -> Subscriber | Outcome:
    """The subscription that is named, by whatever name, with its code.

    A wrong code counts against its number, however it was named, so that a bill ID is no way
    around the lock.
    """
    code = call.arguments[Argument.CODE]
    named = facts.identities.subscribers_of(asker, call)
    if len(named) == 1:
        number, stored = named[0].number, named[0].code_hash
    else:
        # None, or two meters of one serial: neither. It takes as long to say so.
        number, stored = call.arguments[identifying(call)[0]], None
    locked = facts.identities.locked_until(asker, number)
    if locked > asker.at:
        return refused(call, Refusal.LOCKED_OUT, minutes=minutes_left(locked, asker.at))
    if keys.code_matches(stored, asker.utility, number, code) and len(named) == 1:
        return named[0]
    facts.identities.add_failure(asker, number)
    locked = facts.identities.locked_until(asker, number)
    if locked > asker.at:
        return refused(call, Refusal.LOCKED_OUT, minutes=minutes_left(locked, asker.at))
    return refused(call, Refusal.NOT_RECOGNISED)
