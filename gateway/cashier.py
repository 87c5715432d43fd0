"""Payments as they happen: between the page, the provider, and the ledger.

Nothing here waits in a transaction for the network, nor in the reactor for the database:
each step is a question to the provider, then one transaction in the database's thread. A
process that is killed in between leaves an order that the reconciliation asks about again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import structlog

from core.database import DatabaseUnavailable
from core.payments import doubts, ledger
from core.payments.ledger import Clerk, Order
from core.payments.states import OrderState, Step
from gateway.banks.port import Bank, BankError, BankRefused, BankSilent, Says, ToPay, Verdict

log = structlog.get_logger(__name__)

Run = Callable[..., Awaitable[Any]]
"""A transaction's name, a function of ``core``, its arguments → its result, from a thread."""


class Books(NamedTuple):
    """The two ways to the database."""

    write: Run
    read: Run


PAID = frozenset({OrderState.VERIFIED, OrderState.SETTLED})
DESCRIPTION = "پرداخت قبض {bill_id}"
"""What the provider shows its payer."""
NOT_DUE = "not due"
"""Why an order is closed whose bill has been paid, or changed, since."""
NO_ANSWER = "no answer"
GIVE_UP_MS = 24 * 3_600_000
"""A payer who has been at the provider for so long will not pay any more."""


class Cashier:
    """Takes orders to their provider and back; safe to be asked twice for the same."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        banks: Mapping[str, Bank],
        accounts: Mapping[str, str],
        books: Books,
        clerk: Clerk,
        now_ms: Callable[[], int],
        *,
        on_told: Callable[[], object] = lambda: None,
    ) -> None:
        """``banks`` by account, ``accounts`` of utilities; ``on_told`` when a text is queued."""
        self._banks = banks
        self._accounts = accounts
        self._transact, self._read = books
        self._clerk = clerk
        self._now = now_ms
        self._on_told = on_told
        self._is_reconciling = False

    def bank_of(self, order: Order) -> Bank | None:
        """The provider that an order went to, or will go to."""
        return self._banks.get(order.provider or self._accounts.get(order.utility, ""))

    async def find(self, link: str) -> Order | None:
        """The order of a link."""
        order: Order | None = await self._read("payment.find", ledger.by_link, link)
        return order

    async def start(self, order: Order, callback: str) -> str:
        """Take a payer to the provider; returns the address, "" when nothing is owed any more.

        Raises ``BankError`` when the provider cannot take it now.
        """
        bank = self.bank_of(order)
        if bank is None:
            raise BankRefused("no_account", f"{order.utility} has no account")
        if order.token:
            return bank.address(order.token)
        if not await self._read("payment.still_due", ledger.is_still_due, order):
            await self._step(order, Step.EXPIRE, error=NOT_DUE)
            return ""
        what = ToPay(
            order.id,
            order.amount,
            DESCRIPTION.format(bill_id=order.bill_id or order.id),
            callback,
            order.mobile,
        )
        token = await bank.start(what)
        try:
            found: Order | None = await self._transact(
                "payment.redirect", ledger.redirect, order.id, bank.name, token, self._now()
            )
        except ledger.NotBookable as error:
            raise BankRefused("token", str(error)) from error
        log.info("payment.redirected", order=order.id, provider=bank.name)
        return bank.address((found.token if found else "") or token)

    async def begin_again(self, order: Order) -> str:
        """A new link for an order that came to nothing."""
        link: str = await self._transact(
            "payment.again", ledger.begin_again, self._clerk.ids, order, self._now()
        )
        return link

    async def returned(self, order: Order, said: Mapping[str, str]) -> None:
        """A payer came back: ask the provider, whatever the browser says."""
        bank = self.bank_of(order)
        if bank is None or not order.token or bank.token_of(said) != order.token:
            return
        if order.state in (OrderState.BOOKED, OrderState.REVERSED):
            return
        if await self._step(order, Step.RETURN):
            order = order._replace(state=OrderState.RETURNED)
        await self.settle(order)

    async def settle(self, order: Order) -> None:
        """Find out how an order stands, and book it when it is paid."""
        if order.state not in PAID:
            verdict = await self._ask(order)
            if not await self._record(order, verdict):
                return
        try:
            if await self._transact(
                "payment.book", ledger.book, self._clerk, order.id, self._now()
            ):
                log.info("payment.booked", order=order.id, amount=order.amount)
                self._on_told()
        except ledger.NotBookable as error:
            log.critical("payment.not_booked", order=order.id, error=str(error))
            await self._transact("payment.note", doubts.note, order.id, self._now(), str(error))

    async def _ask(self, order: Order) -> Verdict:
        """The provider's word; ``WAITING`` with a code when it gave none."""
        bank = self.bank_of(order)
        if bank is None or not order.token:
            return Verdict(Says.WAITING, code="no_account")
        try:
            verdict = await bank.verify(order.token, order.amount)
            if verdict.says is not Says.NOT_PAID:
                return verdict
            # Not paid so far: only when it cannot be any more has it failed.
            standing = await bank.inquire(order.token)
        except BankError as error:
            if isinstance(error, BankSilent):
                log.warning("payment.no_answer", order=order.id, error=str(error))
                return Verdict(Says.WAITING, code=f"{NO_ANSWER}: {error}")
            return Verdict(Says.NOT_PAID, code=str(error))
        if standing.says is Says.PAID:
            # It has the money, and not for what we asked: a person has to look at it.
            return Verdict(Says.WAITING, code=f"verify {verdict.code}, inquiry {standing.code}")
        return standing if standing.says is not Says.NOT_PAID else verdict

    async def _record(self, order: Order, verdict: Verdict) -> bool:
        """Move the order as the provider says; returns whether it is to be booked."""
        now = self._now()
        match verdict.says:
            case Says.PAID:
                await self._step(order, Step.VERIFY, reference=verdict.reference, error=None)
                return True
            case Says.NOT_PAID:
                if await self._transact(
                    "payment.failed", ledger.fail, self._clerk, order, verdict.code, now
                ):
                    log.info("payment.failed", order=order.id, code=verdict.code)
                    self._on_told()
            case Says.REVERSED:
                await self._step(order, Step.REVERSE, error=verdict.code)
            case Says.WAITING:
                await self._wait(order, verdict.code)
        return False

    async def _wait(self, order: Order, code: str) -> None:
        """Ask again later, or give up on somebody who has been at the provider for a day."""
        has_answered = not code.startswith(NO_ANSWER)
        if has_answered and self._now() - order.created_at > GIVE_UP_MS:
            await self._step(order, Step.EXPIRE, error=code)
        elif order.state is OrderState.REDIRECTED:
            await self._transact("payment.note", doubts.note, order.id, self._now(), code)
        else:
            await self._step(order, Step.NO_ANSWER, error=code)

    async def _step(self, order: Order, step: Step, **values: Any) -> bool:
        moved: bool = await self._transact(
            f"payment.{step.value}", _step_with, order.id, step, self._now(), values
        )
        return moved

    async def reconcile(self, *, now: int | None = None) -> int:
        """Ask about what is in doubt and due, one after the other; returns how many.

        With a ``now`` that lies far ahead, everything in doubt is due.
        """
        if self._is_reconciling:
            return 0
        self._is_reconciling = True
        try:
            await self._transact("payment.expire", doubts.expire, self._now())
            doubtful: list[Order] = await self._read(
                "payment.doubtful", doubts.to_reconcile, now or self._now()
            )
            for order in doubtful:
                await self._settle_one_of_many(order)
            return len(doubtful)
        finally:
            self._is_reconciling = False

    async def in_doubt(self) -> int:
        """How many orders the providers have yet to say something final about."""
        count: int = await self._read("payment.in_doubt", doubts.count_in_doubt)
        return count

    async def _settle_one_of_many(self, order: Order) -> None:
        """One that fails in a way nobody thought of must not keep the others waiting."""
        try:
            await self.settle(order)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("payment.reconcile_failed", order=order.id)
            await self._transact(
                "payment.note", doubts.note, order.id, self._now(), "reconciliation failed"
            )


def _step_with(
    connection: Any, order_id: int, step: Step, now: int, values: Mapping[str, Any]
) -> bool:
    return ledger.step(connection, order_id, step, now, **values)
