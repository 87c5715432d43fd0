"""Who is let in, and how often: a token's own rate, and few wrong tokens of an address."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

from core.access.tokens import TOUCH_MS, Token, find_token, touch_token
from gateway.web.api.problems import Problem
from gateway.web.desk.means import Means
from gateway.web.limits import Allowance, Limiter

WRONG: Final = Allowance(20, 60)
"""Wrong tokens of one address: the next are not even looked for."""
_BEARER: Final = b"bearer "
_LONGEST: Final = 200
_MOST_KNOWN: Final = 1000


class Doorkeeper:
    """Looks tokens up and counts what they ask; each daemon counts by itself."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._wrong = Limiter(WRONG)
        self._rates: dict[int, Limiter] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        """Tokens that were right: others of their address may not keep them out."""

    async def let_in(self, authorization: bytes | None, address: str) -> Token:
        """The token of a request. Raises ``Problem``: unauthorised, too-many."""
        now = self._means.now_ms()
        said = _said(authorization)
        if said not in self._known and self._wrong.is_spent(address, now / 1000):
            raise _too_many(self._wrong.wait(address, now / 1000))
        token: Token | None = None
        if said:
            token = await self._means.read("api.token", find_token, said, now)
        if token is None:
            self._known.pop(said, None)
            self._wrong.spend(address, now / 1000)
            raise Problem(
                "unauthorised",
                "send the header Authorization: Bearer TOKEN, with a token that is neither "
                "expired nor revoked (peyk token add)",
                "سرآیند Authorization: Bearer TOKEN را با کلیدی بفرستید که باطل یا منقضی نباشد",
                headers={"www-authenticate": 'Bearer realm="peyk"'},
            )
        self._know(said)
        self._count(token, now)
        if token.used_at is None or token.used_at + TOUCH_MS <= now:
            await self._means.transact("api.touch", touch_token, token.id, now)
        return token

    def _know(self, said: str) -> None:
        self._known[said] = None
        self._known.move_to_end(said)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _count(self, token: Token, now: int) -> None:
        rate = self._rates.setdefault(token.per_minute, Limiter(Allowance(token.per_minute, 60)))
        name, seconds = str(token.id), now / 1000
        if rate.is_spent(name, seconds):
            raise _too_many(rate.wait(name, seconds))
        rate.spend(name, seconds)


def _said(authorization: bytes | None) -> str:
    """What stands for a token; "" for nothing that could be one."""
    said = authorization or b""
    if not said.lower().startswith(_BEARER) or len(said) > _LONGEST:
        return ""
    return said[len(_BEARER) :].strip().decode("latin-1")


def _too_many(wait: float) -> Problem:
    seconds = max(1, math.ceil(wait))
    return Problem(
        "too-many",
        f"ask again in {seconds} seconds",
        f"{seconds} ثانیهٔ دیگر دوباره بفرستید",
        headers={"retry-after": str(seconds)},
    )
