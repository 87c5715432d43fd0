"""The states of an order, as one pure table (DOMAIN 9; drawn in docs/payments.md).

An order is one attempt to pay one amount. Only what the provider says of its own accord,
asked by us, moves an order towards money: what a browser brings back is a reason to ask.
Money is the truth: an order that was given up and is found paid after all is booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OrderState(StrEnum):
    """Where an order stands."""

    CREATED = "created"
    """It has a link, and nobody has gone to the provider with it."""
    REDIRECTED = "redirected"
    """The provider gave a token, and the payer was sent there."""
    RETURNED = "returned"
    """The payer came back; the provider is being asked."""
    UNKNOWN = "unknown"
    """The provider was asked and did not say: reconciled by asking again."""
    VERIFIED = "verified"
    """The provider says that it is paid, and holds the money for us."""
    SETTLED = "settled"
    """The provider has handed the money over: only where that is a step of its own."""
    BOOKED = "booked"
    """It is a payment of the subscription."""
    FAILED = "failed"
    """The provider says that it is not paid."""
    REVERSED = "reversed"
    """The provider gave the money back."""
    EXPIRED = "expired"
    """Nobody paid in time."""


class Step(StrEnum):
    """What can happen to an order."""

    REDIRECT = "redirect"
    RETURN = "return"
    NO_ANSWER = "no_answer"
    VERIFY = "verify"
    SETTLE = "settle"
    BOOK = "book"
    FAIL = "fail"
    REVERSE = "reverse"
    EXPIRE = "expire"


_S = OrderState
_TABLE: Final[Mapping[Step, tuple[frozenset[OrderState], OrderState]]] = MappingProxyType(
    {
        Step.REDIRECT: (frozenset({_S.CREATED}), _S.REDIRECTED),
        Step.RETURN: (frozenset({_S.REDIRECTED, _S.EXPIRED}), _S.RETURNED),
        Step.NO_ANSWER: (frozenset({_S.REDIRECTED, _S.RETURNED, _S.UNKNOWN}), _S.UNKNOWN),
        Step.VERIFY: (
            frozenset({_S.REDIRECTED, _S.RETURNED, _S.UNKNOWN, _S.FAILED, _S.EXPIRED}),
            _S.VERIFIED,
        ),
        Step.SETTLE: (frozenset({_S.VERIFIED}), _S.SETTLED),
        Step.BOOK: (frozenset({_S.VERIFIED, _S.SETTLED}), _S.BOOKED),
        Step.FAIL: (frozenset({_S.REDIRECTED, _S.RETURNED, _S.UNKNOWN}), _S.FAILED),
        Step.REVERSE: (
            frozenset({_S.REDIRECTED, _S.RETURNED, _S.UNKNOWN, _S.VERIFIED, _S.FAILED}),
            _S.REVERSED,
        ),
        Step.EXPIRE: (frozenset({_S.CREATED, _S.REDIRECTED, _S.UNKNOWN}), _S.EXPIRED),
    }
)

PAYABLE: Final = frozenset({_S.CREATED, _S.REDIRECTED})
"""An order that may still be paid: asking again for the same gives this one."""
IN_DOUBT: Final = frozenset({_S.REDIRECTED, _S.RETURNED, _S.UNKNOWN, _S.VERIFIED, _S.SETTLED})
"""What the provider has to be asked about, if nobody does it first."""
OVER: Final = frozenset({_S.BOOKED, _S.FAILED, _S.REVERSED, _S.EXPIRED})


def before(step: Step) -> frozenset[OrderState]:
    """The states in which a step may happen."""
    return _TABLE[step][0]


def after(step: Step) -> OrderState:
    """The state that a step leads to."""
    return _TABLE[step][1]


def move(state: OrderState, step: Step) -> OrderState | None:
    """What a step makes of an order in ``state``; None when it may not happen there."""
    starts, end = _TABLE[step]
    return end if state in starts else None
