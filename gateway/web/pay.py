"""The page that a payment link opens, its button, and the way back from the provider.

``GET /p/LINK`` shows what is to be paid or what became of it, ``POST /p/LINK`` goes to the
provider, ``GET /p/LINK/return`` comes back from there. There is nothing to log in to: the
link is the key, so the page shows no more than whoever has the text knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from klein import Klein
from werkzeug.exceptions import HTTPException, NotFound

from core.database import DatabaseUnavailable
from core.particulars import masked_name
from core.payments.ledger import Order
from core.payments.orders import LINK_LENGTH, LINK_LETTERS
from core.payments.states import OrderState
from gateway.banks.port import BankError
from gateway.cashier import NOT_DUE, Cashier
from gateway.web.limits import Allowance, Limiter
from gateway.web.pages import Pages
from gateway.web.site import address_of

log = structlog.get_logger(__name__)

MISSES: Final = Allowance(20, 600)
"""How many links that there are none of. A true one is served all the same: 65 bits are not
found by trying, and whoever guesses must not keep out the phones that share the address."""
VIEWS: Final[Mapping[OrderState, str]] = {
    OrderState.CREATED: "open",
    OrderState.REDIRECTED: "open",
    OrderState.RETURNED: "checking",
    OrderState.UNKNOWN: "checking",
    OrderState.VERIFIED: "checking",
    OrderState.SETTLED: "checking",
    OrderState.BOOKED: "paid",
    OrderState.FAILED: "failed",
    OrderState.REVERSED: "reversed",
    OrderState.EXPIRED: "expired",
}
MESSAGES: Final = {
    404: ("صفحه پیدا نشد", "نشانی را کامل و درست از پیامک باز کنید."),
    405: ("نشد", "این کار ممکن نیست."),
    429: ("کمی صبر کنید", "درخواست‌های زیادی از این نشانی رسیده است. چند دقیقه دیگر باز کنید."),
    500: ("خطا", "متأسفانه خطایی پیش آمد. لطفاً کمی بعد دوباره باز کنید."),
    503: ("موقتاً در دسترس نیست", "لطفاً چند دقیقه دیگر دوباره باز کنید."),
}


class TooMany(Exception):
    """One address asked for too much."""


class PayPages:
    """The routes; ``resource`` is what a site is made of."""

    app = Klein()

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        cashier: Cashier,
        pages: Pages,
        titles: Mapping[str, str],
        base_url: str,
        now_ms: Callable[[], int],
        *,
        behind_proxy: bool = False,
        requests_a_minute: int = 120,
    ) -> None:
        """``titles`` of utilities; ``base_url`` is how phones reach this server.

        ``requests_a_minute`` is what one address may ask for.
        """
        self._cashier = cashier
        self._pages = pages
        self._titles = titles
        self._base = base_url
        self._now = now_ms
        self._behind_proxy = behind_proxy
        self._requests = Limiter(Allowance(requests_a_minute, 60))
        self._misses = Limiter(MISSES)

    @property
    def resource(self) -> Any:
        """The tree of pages."""
        return self.app.resource()

    @app.route("/style.css", methods=["GET", "HEAD"])
    def style(self, request: Any) -> bytes:
        """The one stylesheet."""
        _headers(request, "text/css; charset=utf-8")
        request.setHeader(b"cache-control", b"public, max-age=86400")
        return self._pages.style

    @app.route("/p/<link>", methods=["GET", "HEAD"])
    async def show(self, request: Any, link: str) -> bytes:
        """What is to be paid, or what became of it."""
        return self._page(request, await self._order(request, link))

    @app.route("/p/<link>", methods=["POST"])
    async def pay(self, request: Any, link: str) -> bytes:
        """Go to the provider, or begin again after a failure."""
        order = await self._order(request, link)
        view = self._view(order)
        if view == "failed":
            return self._go(request, f"/p/{await self._cashier.begin_again(order)}")
        if view != "open":
            return self._go(request, f"/p/{order.link}")
        try:
            address = await self._cashier.start(order, f"{self._base}/p/{order.link}/return")
        except BankError as error:
            log.warning("payment.not_started", order=order.id, error=str(error))
            request.setResponseCode(503)
            return self._page(request, order, "unreachable")
        return (
            self._leave(request, order, address)
            if address
            else self._go(request, f"/p/{order.link}")
        )

    @app.route("/p/<link>/return", methods=["GET", "POST"])
    async def come_back(self, request: Any, link: str) -> bytes:
        """Come back from the provider: a reason to ask it, and nothing more."""
        order = await self._order(request, link)
        args: Mapping[bytes, list[bytes]] = request.args
        said = {
            key.decode("utf-8", "replace"): values[0].decode("utf-8", "replace")
            for key, values in args.items()
        }
        await self._cashier.returned(order, said)
        return self._go(request, f"/p/{order.link}")

    @app.handle_errors(Exception)
    def refuse(self, request: Any, failure: Any) -> bytes:
        """Trouble in words; what nobody thought of is logged, and not shown."""
        match failure.value:
            case TooMany():
                code = 429
            case DatabaseUnavailable() as error:
                code = 503
                log.error("database.unavailable", error=str(error))
            case HTTPException(code=int(code)):
                code = code if code in MESSAGES else 404
            case _:
                code = 500
                log.error("web.failed", failure=failure.getTraceback())
        return self._message(request, code)

    # --- help -----------------------------------------------------------------------

    async def _order(self, request: Any, link: str) -> Order:
        """The order of a link. Raises ``NotFound``, or ``TooMany`` for who guesses."""
        who, now = address_of(request, behind_proxy=self._behind_proxy), self._now() / 1000
        if self._requests.is_spent(who, now):
            raise TooMany
        self._requests.spend(who, now)
        is_link = len(link) == LINK_LENGTH and set(link) <= set(LINK_LETTERS)
        order = await self._cashier.find(link) if is_link else None
        if order is None:
            if self._misses.is_spent(who, now):
                raise TooMany
            self._misses.spend(who, now)
            raise NotFound
        return order

    def _view(self, order: Order) -> str:
        if order.state is OrderState.EXPIRED and order.error == NOT_DUE:
            return "not_due"
        view = VIEWS[order.state]
        is_late = order.state is OrderState.CREATED and order.expires_at <= self._now()
        return "expired" if is_late else view

    def _page(self, request: Any, order: Order, view: str = "") -> bytes:
        _headers(request, "text/html; charset=utf-8")
        return self._pages.render(
            "order.html",
            order=order,
            view=view or self._view(order),
            utility=self._titles.get(order.utility, ""),
            number=_masked_number(order.number),
            name=masked_name(order.name),
            at=datetime.fromtimestamp(order.changed_at / 1000, UTC),
        )

    def _leave(self, request: Any, order: Order, address: str) -> bytes:
        """A page that goes on to the provider by itself.

        Not a redirect: browsers hold every hop after a form to our form-action, and where a
        provider sends its payers on to is its own affair.
        """
        _headers(request, "text/html; charset=utf-8")
        utility = self._titles.get(order.utility, "")
        return self._pages.render("leave.html", address=address, utility=utility)

    def _message(self, request: Any, code: int) -> bytes:
        _headers(request, "text/html; charset=utf-8")
        request.setResponseCode(code)
        title, words = MESSAGES[code]
        return self._pages.render("message.html", title=title, words=words)

    def _go(self, request: Any, address: str) -> bytes:
        _headers(request, "text/html; charset=utf-8")
        request.setResponseCode(303)
        request.setHeader(b"location", address.encode())
        return b""


def _headers(request: Any, kind: str) -> None:
    """What a browser has to know.

    Providers may want to see which site a payer comes from; the link itself is a key.
    """
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    )
    for name, value in (
        ("content-type", kind),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin"),
        ("cache-control", "no-store"),
        ("permissions-policy", "geolocation=(), camera=(), microphone=()"),
    ):
        request.setHeader(name.encode(), value.encode())


def _masked_number(number: str) -> str:
    return number if len(number) < 5 else f"{number[:2]}***{number[-2:]}"  # noqa: PLR2004
