"""The states of a request: one machine for all kinds, as a table.

Source: seed 000, annex 1: a request is registered with a tracking number, looked into, its
fee told and paid, and may be edited until the company has put it into work (مرحله عملیاتی).
Drawn in docs/requests.md. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RequestState(StrEnum):
    """Where a request stands."""

    REGISTERED = "registered"
    IN_REVIEW = "in_review"
    INCOMPLETE = "incomplete"
    """Something is missing: a document, a field."""
    FEE_ANNOUNCED = "fee_announced"
    """The fee is known; nothing can be paid yet."""
    VOUCHER_ISSUED = "voucher_issued"
    """The fee can be paid: account, bill ID, payment ID and amount are known (صدور فیش)."""
    PAID = "paid"
    OPERATIONAL = "operational"
    """The company is at work on it: it can be neither edited nor cancelled any more."""
    DONE = "done"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


_S = RequestState

MOVES: Final[Mapping[RequestState, frozenset[RequestState]]] = MappingProxyType(
    {
        _S.REGISTERED: frozenset({
            _S.IN_REVIEW, _S.INCOMPLETE, _S.FEE_ANNOUNCED, _S.VOUCHER_ISSUED, _S.OPERATIONAL,
            _S.DONE, _S.REJECTED, _S.CANCELLED,
        }),
        _S.IN_REVIEW: frozenset({
            _S.INCOMPLETE, _S.FEE_ANNOUNCED, _S.VOUCHER_ISSUED, _S.OPERATIONAL,
            _S.DONE, _S.REJECTED, _S.CANCELLED,
        }),
        _S.INCOMPLETE: frozenset({_S.IN_REVIEW, _S.REJECTED, _S.CANCELLED}),
        _S.FEE_ANNOUNCED: frozenset({
            _S.IN_REVIEW, _S.VOUCHER_ISSUED, _S.REJECTED, _S.CANCELLED,
        }),
        _S.VOUCHER_ISSUED: frozenset({_S.FEE_ANNOUNCED, _S.PAID, _S.REJECTED, _S.CANCELLED}),
        _S.PAID: frozenset({_S.OPERATIONAL, _S.DONE, _S.REJECTED}),
        _S.OPERATIONAL: frozenset({_S.DONE, _S.REJECTED}),
        _S.DONE: frozenset(),
        _S.REJECTED: frozenset(),
        _S.CANCELLED: frozenset(),
    }
)  # fmt: skip
"""From each state, those that may follow."""

FINAL: Final = frozenset(state for state, following in MOVES.items() if not following)
EDITABLE: Final = frozenset(
    {
        _S.REGISTERED,
        _S.IN_REVIEW,
        _S.INCOMPLETE,
        _S.FEE_ANNOUNCED,
        _S.VOUCHER_ISSUED,
        _S.PAID,
    }
)
"""Before the operational state: a request may be found by its office and edited."""
ABOUT_FEES: Final = frozenset({_S.FEE_ANNOUNCED, _S.VOUCHER_ISSUED, _S.PAID})
"""Only a kind that costs something passes through these."""
WITHOUT_FEE: Final = tuple(state for state in RequestState if state not in ABOUT_FEES)
"""The states of a kind that costs nothing."""


def may_follow(now: RequestState, new: RequestState, allowed: frozenset[RequestState]) -> bool:
    """Whether a request in ``now`` may go to ``new``, among the states its kind has."""
    return new in MOVES[now] and new in allowed
