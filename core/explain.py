"""What a bill would say, for the operator who asks how it comes about."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from core.billing import Account, Billing, Draft
from core.calls import Argument, Call, Outcome, Refusal
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.jalali import day_of, jalali
from core.operations.mid_bill import QUICK_BILL, bill_for
from core.shelf import Asker
from core.terms import Terms


class Question(NamedTuple):
    """Which bill."""

    utility: str
    number: str
    """Of the subscription."""
    reading: str
    """ASCII digits."""
    at: int
    """When the meter shows it, UTC milliseconds."""
    terms: Terms


class Explained(NamedTuple):
    """A bill that was computed for nobody but the one who asked."""

    account: Account
    draft: Draft


UNKNOWN = "unknown"
"""``CannotExplain.why``: there is no such subscription."""
ENDS_LATER = "ends_later"
"""… the last bill ends after the day."""


class CannotExplain(Exception):
    """There is no such bill, in words for the operator."""

    def __init__(self, why: str, words: str) -> None:
        """``why``: a ``Refusal``'s value, ``UNKNOWN`` or ``ENDS_LATER``."""
        super().__init__(words)
        self.why = why


_WHY = {
    Refusal.NO_TARIFF: "this utility has no price for it: see tariff.toml and the usage on record",
    Refusal.NO_BILL: "neither a bill nor an earlier reading is known to begin with",
    Refusal.READING_TOO_LONG: "the reading has more digits than the meter",
    Refusal.READING_BELOW_LAST: "the reading is below the last one",
}


def explain(connection: Connection, question: Question) -> Explained:
    """Compute a bill as ``quick_bill`` does. Raises ``CannotExplain``."""
    asker = Asker(question.utility, "", question.at, question.terms, "desk", 0)
    said = {Argument.NUMBER: question.number, Argument.READING: question.reading}
    call = Call(QUICK_BILL.name, said)
    ids = IdMaker(0, lambda: question.at)  # nothing is stored
    facts = Facts.load(connection, ids, [Wanted(asker, call, QUICK_BILL.needs)])
    subscriber = facts.identities.subscriber(question.utility, question.number)
    if subscriber is None:
        told = f"{question.utility} has no subscription {question.number}"
        raise CannotExplain(UNKNOWN, told)
    found = bill_for(asker, call, facts, subscriber)
    if isinstance(found, Outcome):
        raise CannotExplain(found.kind, _WHY[Refusal(found.kind)])
    if day_of(question.at) < found.draft.start.day:
        told = f"the last bill ends later, on {jalali(found.draft.start.day)}"
        raise CannotExplain(ENDS_LATER, told)
    return Explained(facts.of(Billing).account(subscriber), found.draft)
