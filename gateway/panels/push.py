"""Where a panel posts texts and states to: a path of our HTTP server.

It is answered 200 once what it posted is stored, 503 when it should post it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.outbound import Clock
from gateway.panels.description import Push, PushedReceipts, PushedTexts
from gateway.panels.port import PanelSms
from gateway.panels.reading import instant, text
from gateway.web.guard import Guard
from gateway.web.site import live_on

log = structlog.get_logger(__name__)

COMPLAINT_SECONDS: Final = 60.0
MOST_AT_ONCE: Final = 100
"""Texts and states of one request."""


class Posted(NamedTuple):
    """What one request brought."""

    texts: Sequence[PanelSms]
    states: Sequence[tuple[str, str]]
    """(the panel's id, code)."""


class NotUnderstood(Exception):
    """It is neither a text nor a state, in words for whoever set the panel up."""


def names_of(push: Push, own: Mapping[str, str]) -> Push:
    """What parameters are called: as the kind says, and where that differs as ``own`` says."""
    texts, receipts = push.texts, push.receipts
    if texts:
        renamed = {
            getattr(texts, name): own.get(name, "") for name in ("source", "destination", "text")
        }
        texts = PushedTexts(
            source=own.get("source", texts.source),
            destination=own.get("destination", texts.destination),
            text=own.get("text", texts.text),
            mark=tuple(renamed.get(name) or name for name in texts.mark),
        )
    if receipts:
        receipts = PushedReceipts(
            id=own.get("id", receipts.id), code=own.get("state", receipts.code)
        )
    return Push(texts=texts, receipts=receipts)


def read(push: Push, given: Sequence[Mapping[str, Any]]) -> Posted:
    """What was posted. Raises ``NotUnderstood``."""
    texts: list[PanelSms] = []
    states: list[tuple[str, str]] = []
    for one in given:
        if push.texts and _has(one, push.texts.source, push.texts.text):
            names = push.texts
            texts.append(
                PanelSms(
                    tuple(text(one.get(name)) for name in names.mark),
                    text(one[names.source]),
                    text(one.get(names.destination)),
                    str(one[names.text]),
                    instant(one.get("date")),
                )
            )
        elif push.receipts and _has(one, push.receipts.id, push.receipts.code):
            states.append((text(one[push.receipts.id]), text(one[push.receipts.code])))
        else:
            raise NotUnderstood(_wanted(push))
    return Posted(texts, states)


def _has(given: Mapping[str, Any], *names: str) -> bool:
    return all(name in given for name in names)


def _wanted(push: Push) -> str:
    wanted = []
    if push.texts:
        wanted.append(f"{push.texts.source}, {push.texts.destination}, {push.texts.text}")
    if push.receipts:
        wanted.append(f"{push.receipts.id}, {push.receipts.code}")
    return "wanted: " + " or ".join(wanted)


class PushPage(Resource):
    """What a site serves at a panel's path, with or without a secret behind it."""

    isLeaf = True  # noqa: N815 - Twisted's

    def __init__(
        self,
        panel: str,
        push: Push,
        guard: Guard,
        take: Callable[[Posted, Callable[[bool], None]], Deferred[None]],
        clock: Clock,
    ) -> None:
        """``take(posted, told)``: ``told`` is called once, with whether all of it is stored."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._panel = panel
        self._push = push
        self._guard = guard
        self._take = take
        self._clock = clock
        self._complain_at = 0.0

    def render(self, request: Any) -> Any:
        """Take one request."""
        if not self._guard.lets_in(request):
            return self._turn_away(request, 403, "this path is not open to you")
        live_on(request)
        if request.method not in (b"GET", b"POST"):
            request.setHeader("allow", "GET, POST")
            return self._turn_away(request, 405, "post or get")
        try:
            posted = read(self._push, _given(request))
        except NotUnderstood as error:
            return self._turn_away(request, 400, str(error))
        answering = _Answering(request)
        done = self._take(posted, answering.told)
        done.addErrback(self._failed, answering)
        return NOT_DONE_YET

    def _failed(self, failure: Failure, answering: _Answering) -> None:
        log.error("panel.push_not_stored", panel=self._panel, reason=failure.getErrorMessage())
        answering.told(False)  # noqa: FBT003

    def _turn_away(self, request: Any, status: int, words: str) -> bytes:
        now = self._clock.seconds()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAINT_SECONDS
            log.warning("panel.turned_away", panel=self._panel, status=status, why=words)
        _headers(request, status)
        return f"{words}\n".encode()


class _Answering:
    """A request until it is answered, or nobody waits for the answer any more."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._is_over = False
        finished: Deferred[None] = request.notifyFinish()
        finished.addErrback(self._gone)

    def _gone(self, _failure: Failure) -> None:
        # What it posted is stored all the same, and known when it is posted again.
        self._is_over = True

    def told(self, is_stored: bool) -> None:  # noqa: FBT001
        if self._is_over:
            return
        self._is_over = True
        _headers(self._request, 200 if is_stored else 503)
        self._request.write(b"ok\n" if is_stored else b"try again\n")
        self._request.finish()


def _headers(request: Any, status: int) -> None:
    request.setResponseCode(status)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.setHeader("cache-control", "no-store")
    request.setHeader("x-content-type-options", "nosniff")


def _given(request: Any) -> list[Mapping[str, Any]]:
    """What a request says: its query and its body, a form or JSON. Raises ``NotUnderstood``."""
    query = _pairs(request.uri.partition(b"?")[2])
    body: bytes = request.content.read()
    header: bytes = request.getHeader(b"content-type") or b""
    if b"json" not in header.lower():
        return [query | _pairs(body)]
    try:
        found = json.loads(body)
    except ValueError:
        raise NotUnderstood("the body is not JSON") from None
    given = found if isinstance(found, list) else [found]
    if len(given) > MOST_AT_ONCE or not all(isinstance(one, dict) for one in given):
        raise NotUnderstood(f"wanted: an object, or a list of at most {MOST_AT_ONCE}")
    return [query | one for one in given]


def _pairs(written: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(written.decode("ascii"), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise NotUnderstood("the parameters are not a form in UTF-8") from None
