"""A call from another system, or from a counter, run by itself as a batch runs those of texts.

The caller is trusted to say who asks. The right to a subscription is shown as in a text, by its
code or by a mobile that is registered to it; or the caller vouches for it.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from core.calls import Argument, Call, Outcome
from core.database import by_index_only
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.secrecy import Keys
from core.shelf import Asker
from core.terms import Terms

API = "api"
"""The door, where effects say through which one they came …"""
DESK = "desk"
"""… or this one: staff vouch for who stands before them."""
WITHOUT_MOBILE = frozenset(
    {
        "balance",
        "bill_history",
        "consumption_history",
        "help",
        "instalments",
        "last_bill",
        "last_payment",
        "list_mobiles",
        "payment_history",
        "request_cost",
        "sign_in",
        "status_enquiry",
        "track_request",
    }
)
"""Operations that change nothing for the mobile that asks."""


class Outside(NamedTuple):
    """A call, and who is said to ask."""

    utility: str
    terms: Terms
    line: str
    """From which a later message about it is to come."""
    mobile: str
    """E.164 digits; for ``WITHOUT_MOBILE`` whatever wrong codes are counted by."""
    call: Call
    vouched: bool
    """Whether the caller vouches for the right to the subscription that it names by number."""
    now: int
    """UTC milliseconds."""
    source: str = API


class Ran(NamedTuple):
    """What came of it."""

    outcome: Outcome
    number: str | None
    """The subscription that it was about, where it was about one."""
    subscriber_id: int | None


def run_call(connection: Connection, keys: Keys, ids: IdMaker, outside: Outside) -> Ran:
    """Run it and store what it changes; a refusal is an outcome as well."""
    by_index_only(connection)
    call = outside.call
    number = call.arguments.get(Argument.NUMBER)
    asker = Asker(
        utility=outside.utility,
        mobile=outside.mobile,
        at=outside.now,
        terms=outside.terms,
        source=outside.source,
        message_id=ids.one(),
        line=outside.line,
        shown=(number,) if outside.vouched and number is not None else (),
    )
    operation = REGISTRY[call.operation]
    facts = Facts.load(connection, ids, [Wanted(asker, call, operation.needs)])
    outcome = operation(keys, asker, call, facts)
    about = facts.identities.subscribers_of(asker, call)
    facts.store(connection)
    one = about[0] if len(about) == 1 else None
    return Ran(outcome, one and one.number, one and one.id)
