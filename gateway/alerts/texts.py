"""Alerts by SMS: submitted at once over a bind that is up, past the outbox.

So an alert goes out though the database is away or the queue is what is wrong, and though its
receiver has opted out of what the utility sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from twisted.internet.defer import Deferred, DeferredList

from core.identifiers import masked_mobile
from gateway.alerts.telling import NotTold, Telling
from gateway.messages import OutboundSms, PartOf, SendResult, SendStatus
from gateway.outbound import Sender
from gateway.settings.alerts import AlertSettings

log = structlog.get_logger(__name__)

VALIDITY: Final = 3600
"""Seconds; an alert of yesterday helps nobody."""
_TOLD: Final = frozenset({SendStatus.ACCEPTED, SendStatus.UNCERTAIN})


class Cut(Protocol):
    """Cuts words into the parts of a message."""

    def __call__(self, words: str, /) -> Sequence[str]:
        """The parts."""


class SmsWay:
    """The line that texts administrators. Implements ``gateway.alerts.telling.Way``."""

    name = "sms"

    def __init__(
        self,
        settings: AlertSettings,
        senders: Mapping[str, Sender],
        binds: Sequence[str],
        cut: Cut,
        take_ids: Callable[[int], Sequence[int]],
    ) -> None:
        """``binds``: those of the line, in order; ``take_ids``: so many ids in a row."""
        self._settings = settings
        self._senders = senders
        self._binds = binds
        self._cut = cut
        self._take_ids = take_ids

    def tell(self, telling: Telling) -> Deferred[None]:
        """Text every mobile; those that an operator refuses for good are left out."""
        sender = self._sender(telling)
        words = telling.english if self._settings.language == "en" else telling.persian
        parts = self._cut(words)
        waits = [self._submit(sender, mobile, parts) for mobile in self._settings.mobiles]
        return DeferredList(waits).addCallback(_check)

    def _sender(self, telling: Telling) -> Sender:
        """The first bind of the line that is up, and not what the alert is about."""
        up = [self._senders[name] for name in self._binds if name in self._senders]
        up = [sender for sender in up if sender.is_up]
        if not up:
            raise NotTold(f"no bind of line {self._settings.line} is up")
        others = [s for s in up if telling.about not in (s.settings.bind, s.settings.smsc)]
        return (others or up)[0]

    def _submit(self, sender: Sender, mobile: str, parts: Sequence[str]) -> Deferred[bool]:
        """Submit one message; whether it need not be sent again."""
        ids = self._take_ids(len(parts))
        line = self._settings.line or ""
        reference = ids[0] & 0xFF
        messages = [
            OutboundSms(
                row_id,
                line,
                mobile,
                text,
                PartOf(reference, len(parts), place) if len(parts) > 1 else None,
                receipt=False,
                validity=VALIDITY,
            )
            for place, (row_id, text) in enumerate(zip(ids, parts, strict=True), 1)
        ]
        done: Deferred[bool] = Deferred()
        results: list[SendResult] = []

        def answered(result: SendResult) -> None:
            results.append(result)
            if len(results) == len(messages):
                done.callback(_is_settled(results, mobile))

        sender.say(messages, answered)
        return done


def _is_settled(results: Sequence[SendResult], mobile: str) -> bool:
    refused = [result for result in results if result.status is SendStatus.PERMANENT]
    if refused:
        log.error("alert.mobile_refused", mobile=masked_mobile(mobile), code=refused[0].code)
        return True
    return all(result.status in _TOLD for result in results)


def _check(results: Sequence[tuple[bool, bool]]) -> None:
    if not all(is_settled for _success, is_settled in results):
        raise NotTold("the operator does not take it for now")
