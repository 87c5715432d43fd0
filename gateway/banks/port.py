"""What a payment provider is to the rest of the daemon (DOMAIN 9).

Order → token → the payer is sent to an address → the payer comes back → the provider is
asked, with the amount that we stored. What the payer's browser brings back is never
believed; a provider that was asked and did not say is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol


class ToPay(NamedTuple):
    """What a provider is to collect."""

    order_id: int
    amount: int
    """Rial."""
    description: str
    callback: str
    """Where the payer comes back to."""
    mobile: str | None
    """E.164 digits, for providers that remember a payer's cards."""


class Says(StrEnum):
    """What a provider says of a payment."""

    PAID = "paid"
    """The money is ours, with this question or an earlier one."""
    NOT_PAID = "not_paid"
    WAITING = "waiting"
    """Nothing is settled: the payer may still be there, or its word is not final."""
    REVERSED = "reversed"
    """It was paid, and given back."""


class Verdict(NamedTuple):
    """The provider's answer about one token."""

    says: Says
    reference: str = ""
    """Its receipt (شماره پیگیری), of what is paid."""
    code: str = ""
    """Its own code for what is not."""


class BankError(Exception):
    """A provider that did not do what it was asked."""


class BankRefused(BankError):
    """It understood, and said no; ``code`` is its own."""

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        super().__init__(f"{code}: {words}" if words else code)


class BankSilent(BankError):
    """No answer, or none that can be used: what it did is not known."""


class Bank(Protocol):
    """One account with one provider. Every call ends within seconds."""

    @property
    def name(self) -> str:
        """The account's name: ``orders.provider``, and the channel of its payments."""

    async def start(self, what: ToPay) -> str:
        """Announce a payment; returns its token. Raises ``BankRefused``, ``BankSilent``."""

    def address(self, token: str) -> str:
        """Where the payer goes with it."""

    def token_of(self, returned: Mapping[str, str]) -> str:
        """The token that a payer came back with; "" for none."""

    async def verify(self, token: str, amount: int) -> Verdict:
        """Ask for the money. Asking again is harmless. Raises ``BankSilent``."""

    async def inquire(self, token: str) -> Verdict:
        """Ask how a payment stands, changing nothing. Raises ``BankRefused``, ``BankSilent``."""
