"""Idempotency keys as requests carry them: what is done once, and what is answered again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.access.idempotency import InProgress, Kept, Key, OtherRequest, begin, keep
from core.access.tokens import Token
from core.secrecy import Keys, Unsealable
from gateway.web.api.asking import key_of
from gateway.web.api.problems import Problem
from gateway.web.api.routes import Route

_PURPOSE = "idempotency"


class Keyring:
    """The keys of requests that are being done, and how answers are kept.

    Answers are about people: they are sealed, so that whoever reads the table reads none.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._doing: set[tuple[int, str]] = set()

    def key(self, route: Route, token: Token, request: Any, content: bytes) -> Key | None:
        """The key of a request; None where it has none. Raises ``Problem``."""
        said = key_of(request.getHeader(b"idempotency-key"))
        if said is None:
            return None
        if route.is_secret:
            raise Problem(
                "invalid",
                "what is answered here is shown once, and not kept: leave out Idempotency-Key",
                "پاسخ این درخواست تنها یک بار نشان داده می‌شود: Idempotency-Key نفرستید",
            )
        asked = f"{route.method} {request.uri.decode('latin-1')} {content.decode('latin-1')}"
        return Key(token.id, said, self._keys.sign(_PURPOSE, asked))

    @contextmanager
    def held(self, key: Key) -> Iterator[None]:
        """While the request is done. Raises ``Problem`` for what may not be done with the key."""
        mark = (key.token_id, key.key)
        if mark in self._doing:
            raise _in_progress()
        self._doing.add(mark)
        try:
            yield
        except InProgress:
            raise _in_progress() from None
        except OtherRequest:
            raise Problem(
                "key-reused",
                "another request was sent with this Idempotency-Key: make a new one",
                "درخواست دیگری با این Idempotency-Key آمده است: کلید تازه‌ای بسازید",
            ) from None
        finally:
            self._doing.discard(mark)

    def kept(self, connection: Any, key: Key) -> Kept | None:
        """What was answered before.

        Raises as ``core.access.idempotency.begin``, and ``Problem`` for what cannot be read.
        """
        found = begin(connection, key)
        if found is None:
            return None
        try:
            return found._replace(body=self._keys.unseal(_PURPOSE, found.body))
        except Unsealable:
            raise Problem(
                "conflict",
                "it was done; its answer was kept under another master key and cannot be read",
                "انجام شده است؛ پاسخ آن با کلید اصلی دیگری نگه داشته شده و خوانا نیست",
            ) from None

    def keep(self, connection: Any, key: Key, answer: Kept, now_ms: int) -> None:
        """Keep what is answered now."""
        sealed = answer._replace(body=self._keys.seal(_PURPOSE, answer.body))
        keep(connection, key, sealed, now_ms)


def _in_progress() -> Problem:
    return Problem(
        "in-progress",
        "a request with this Idempotency-Key is being done: ask again for its answer",
        "درخواستی با این Idempotency-Key در حال انجام است: پاسخش را دوباره بخواهید",
        headers={"retry-after": "1"},
    )
