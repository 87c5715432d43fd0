"""Paying as a part of the daemon: the HTTP server, the providers, and the reconciliation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import structlog
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from core.calls import Outcome
from core.ids import IdMaker
from core.payments.ledger import Clerk
from gateway.banks.port import Bank
from gateway.banks.simulated import SimulatedBank
from gateway.banks.zarinpal import ADDRESS, SANDBOX, HttpPost, Zarinpal
from gateway.cashier import Books, Cashier, Run
from gateway.logs import failed
from gateway.minds import LineMind
from gateway.profiles import Profile
from gateway.settings import Settings
from gateway.settings.payments import (
    PaymentAccount,
    WebSettings,
    account_for,
    payment_terms,
)
from gateway.web.pages import Pages
from gateway.web.pay import PayPages

log = structlog.get_logger(__name__)

RECONCILE_SECONDS = 20.0
FAR_AHEAD_MS = 10 * 365 * 86_400_000
"""So far ahead that whatever is in doubt is due to be asked about."""
BANK_PATH = "bank"
"""Where the daemon serves the simulated bank."""


def with_payments(profiles: Mapping[str, Profile], settings: Settings) -> dict[str, Profile]:
    """The profiles, with how their subscribers pay in their terms."""
    return {
        name: replace(
            profile,
            terms=replace(
                profile.terms,
                payments=payment_terms(settings.web, account_for(settings.payments, name)),
            ),
        )
        for name, profile in profiles.items()
    }


class Collaborators(NamedTuple):
    """What paying needs of the rest of the daemon."""

    transact: Run
    read: Run
    """As ``transact``, for what only reads: on threads that do not hold up the batches."""
    ids: IdMaker
    minds: Mapping[str, LineMind]
    """By line: they write the receipts."""
    now_ms: Callable[[], int]
    on_told: Callable[[], object]
    """Called when a receipt is queued."""


class PaymentService(Service):
    """What payment links open, and the asking about what is in doubt, from start to stop."""

    def __init__(self, settings: Settings, with_whom: Collaborators, reactor: Any) -> None:
        """Make the cashier and its pages."""
        assert settings.web is not None  # noqa: S101 - made only where there is one
        self._reactor = reactor
        self._minds = with_whom.minds
        self._now = with_whom.now_ms
        pages = Pages()
        profiles = {mind.profile.name: mind.profile for mind in with_whom.minds.values()}
        services = {each.utility: each.terms.services for each in profiles.values()}
        self.cashier = Cashier(
            banks_of(settings.payments, settings.web, reactor),
            accounts_of(settings.payments, profiles.values()),
            Books(with_whom.transact, with_whom.read),
            Clerk(with_whom.ids, self._words, services),
            with_whom.now_ms,
            on_told=with_whom.on_told,
        )
        titles = {profile.utility: profile.title for profile in profiles.values()}
        self._pages = PayPages(
            self.cashier,
            pages,
            titles,
            settings.web.url,
            with_whom.now_ms,
            behind_proxy=settings.web.behind_proxy,
            requests_a_minute=settings.web.requests_a_minute,
        )
        self._bank = (
            SimulatedBank(pages, first=with_whom.now_ms())
            if any(account.provider == "simulated" for account in settings.payments)
            else None
        )
        self._loop: LoopingCall | None = None

    def _words(self, line: str, outcome: Outcome) -> Sequence[str]:
        """A receipt's parts; none for a line that is gone or has no words for it."""
        mind = self._minds.get(line)
        return mind.reply(outcome) if mind else ()

    @property
    def pages(self) -> Any:
        """The resource that payment links open."""
        return self._pages.resource

    @property
    def mounted(self) -> dict[str, Any]:
        """What else a server has to serve for it, by the first step of its path."""
        return {BANK_PATH: self._bank} if self._bank else {}

    def startService(self) -> None:
        """Begin to reconcile."""
        self._loop = LoopingCall(self._reconcile)
        self._loop.clock = self._reactor
        self._loop.start(RECONCILE_SECONDS, now=False)
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> None:
        """Stop; what is asked of a provider is not waited for."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop and self._loop.running:
            self._loop.stop()

    def reconcile_now(self) -> Deferred[Mapping[str, Any]]:
        """Ask about everything in doubt; for ``peyk payment reconcile``."""
        return Deferred.fromCoroutine(self._reconcile_now())

    async def _reconcile_now(self) -> Mapping[str, Any]:
        asked = await self.cashier.reconcile(now=self._now() + FAR_AHEAD_MS)
        return {"asked": asked, "in_doubt": await self.cashier.in_doubt()}

    def _reconcile(self) -> None:
        Deferred.fromCoroutine(self.cashier.reconcile()).addErrback(
            failed, log, "payment.loop_failed"
        )


def banks_of(accounts: Sequence[PaymentAccount], web: WebSettings, reactor: Any) -> dict[str, Bank]:
    """The providers, by the names of their accounts."""
    post = HttpPost(reactor)
    made: dict[str, Bank] = {}
    for account in accounts:
        if account.provider == "none":
            continue
        address = account.address or (SANDBOX if account.sandbox else ADDRESS)
        if account.provider == "simulated":
            address = f"{web.url}/{BANK_PATH}"
        merchant = account.merchant_id.get_secret_value() or "demo"
        made[account.name] = Zarinpal(account.name, merchant, post, address)
    return made


def accounts_of(accounts: Sequence[PaymentAccount], profiles: Any) -> dict[str, str]:
    """Which account collects for each utility."""
    found = {profile.utility: account_for(accounts, profile.name) for profile in profiles}
    return {utility: account.name for utility, account in found.items() if account}
