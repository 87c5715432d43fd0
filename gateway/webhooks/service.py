"""The daemon's webhooks: one of several daemons looks what there is to tell, and tells it.

Each webhook is told in order, one call after the other; a receiver that is slow or away holds
up no other. What is read is read beside the batches; on the thread that writes there is a
moment for where everything is committed, and one for each call to begin and to end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

import structlog
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    inlineCallbacks,
    succeed,
)

from core.ids import made_at
from core.secrecy import Keys, Unsealable
from core.webhooks.calls import (
    Answer,
    Call,
    Standing,
    Verdict,
    as_body,
    begin_call,
    settle_call,
    standing_of,
    standings,
)
from core.webhooks.horizon import horizon
from core.webhooks.news import News, Whose, read_news
from core.webhooks.store import PURPOSE, Position, Webhook, find_webhook
from gateway.database_doors import Doors
from gateway.health import WebhookHealth
from gateway.logs import failed
from gateway.signed_posts import NotTaken, Poster

log = structlog.get_logger(__name__)

TIMEOUT: Final = 10.0
"""Seconds for a receiver to answer."""
TEST: Final = "test"
STALE_MS: Final = 60_000
"""A position moves at least so often, though what it passes over concerns nobody."""
_Steps = Generator[Deferred[Any], Any, None]


class Webhooks:
    """Tells all webhooks of one database; all of it is called on the reactor's thread."""

    def __init__(  # noqa: PLR0913 - the composition root gives each its own
        self,
        doors: Doors,
        keys: Keys,
        poster: Poster,
        whose: Whose,
        *,
        new_id: Callable[[], int],
        now_ms: Callable[[], int],
        may_work: Callable[[], bool] = lambda: True,
    ) -> None:
        """``may_work``: whether it is for this daemon, not paused, and the database is there."""
        self._doors = doors
        self._keys = keys
        self._poster = poster
        self._whose = whose
        self._new_id = new_id
        self._now = now_ms
        self._may_work = may_work
        self._in_work: dict[int, Deferred[Any]] = {}
        self._posts: set[Deferred[Any]] = set()
        self._looking: Deferred[None] | None = None
        self._is_stopping = False
        self._made: Counter[tuple[int, bool]] = Counter()
        self.health: tuple[WebhookHealth, ...] = ()
        """How each of them was when it was last looked at."""

    def tick(self) -> Deferred[None]:
        """Begin to tell what there is to tell; called each second. Done with the look."""
        if self._looking is not None or not self._works:
            return succeed(None)
        looking = self._looking = self._look()
        looking.addErrback(failed, log, "webhooks.look_failed")
        return looking.addBoth(self._looked)

    def settled(self) -> Deferred[Any]:
        """Done when nothing is under way."""
        under_way = [*self._in_work.values()]
        if self._looking is not None:
            under_way.append(self._looking)
        return DeferredList([_beside(each) for each in under_way])

    def stop(self) -> Deferred[Any]:
        """Begin nothing more; a call that is under way is made again after the next start."""
        self._is_stopping = True
        for post in list(self._posts):
            post.cancel()
        return self.settled()

    @property
    def _works(self) -> bool:
        return not self._is_stopping and self._may_work()

    def _looked(self, _result: object) -> None:
        self._looking = None

    @inlineCallbacks
    def _look(self) -> _Steps:
        found: list[Standing] = yield self._doors.read("webhooks.look", standings)
        self.health = tuple(map(self._health, found))
        enabled = [one for one in found if one.webhook.disabled_at is None]
        if not enabled or not self._works:
            return
        until = yield self._doors.transact("webhooks.horizon", horizon, self._now())
        for standing in enabled:
            webhook = standing.webhook
            if webhook.id not in self._in_work and self._works:
                work = self._in_work[webhook.id] = self._tell(standing, until)
                work.addErrback(failed, log, "webhooks.crashed", webhook=webhook.name)
                work.addBoth(self._told, webhook.id)

    def _told(self, _result: object, webhook_id: int) -> None:
        self._in_work.pop(webhook_id, None)

    @inlineCallbacks
    def _tell(self, standing: Standing, until: int) -> _Steps:
        """Tell one webhook all that happened before ``until``, as long as it takes it."""
        latest: Standing | None = standing
        is_all = False
        while latest is not None and latest.webhook.disabled_at is None and self._works:
            webhook, call = latest
            if call is None:
                if is_all:
                    return
                news: News = yield self._doors.read(
                    "webhooks.news", read_news, webhook, self._whose, until
                )
                is_all = news.is_all
                if not _is_worth_it(news, webhook, until):
                    return
                yield self._doors.transact(
                    "webhooks.begin", begin_call, webhook, news, self._new_id(), self._now()
                )
            elif (call.due_at or 0) > self._now():
                return
            else:
                is_over = yield self._make(webhook, call)
                if not is_over:
                    return
            latest = yield self._doors.read("webhooks.look", standing_of, webhook.id)

    @inlineCallbacks
    def _make(self, webhook: Webhook, call: Call) -> Generator[Deferred[Any], Any, bool]:
        """Make a call once; whether the receiver has it."""
        answer: Answer | None = yield self._post(webhook, str(call.id), call.body)
        if answer is None:
            return False
        self._made[webhook.id, not answer.error] += 1
        verdict: Verdict | None = yield self._doors.transact(
            "webhooks.settle", settle_call, webhook.id, call, answer, self._now()
        )
        if answer.error:
            log.warning("webhook.refused", webhook=webhook.name, call=call.id, error=answer.error)
        if verdict is Verdict.GIVEN_UP:
            log.error("webhook.disabled", webhook=webhook.name, error=answer.error)
        return verdict is Verdict.DONE

    @inlineCallbacks
    def _post(
        self, webhook: Webhook, call_id: str, body: str
    ) -> Generator[Deferred[Any], Any, Answer | None]:
        """What came of it; None when the daemon stops meanwhile."""
        try:
            secret = self._keys.unseal(PURPOSE, webhook.sealed)
        except Unsealable as error:
            return Answer(None, str(error))
        headers = {"X-Peyk-Call": call_id}
        post = Deferred.fromCoroutine(
            self._poster.post(
                webhook.url,
                body.encode(),
                secret,
                headers,
                elsewhere=not webhook.may_lead_here,
            )
        )
        self._posts.add(post)
        try:
            status: int = yield post
        except NotTaken as error:
            return None if self._is_stopping else Answer(error.status, str(error))
        except CancelledError:
            return None
        finally:
            self._posts.discard(post)
        return Answer(status, "")

    def _health(self, standing: Standing) -> WebhookHealth:
        webhook, call = standing
        is_failing = call is not None and bool(call.error)
        return WebhookHealth(
            name=webhook.name,
            utility=webhook.utility,
            enabled=webhook.disabled_at is None,
            gave_up=webhook.gave_up,
            attempts=call.attempts if call is not None else 0,
            since=call.created_at if call is not None and is_failing else None,
            error=(call.error or "") if call is not None else "",
            waiting_since=call.created_at if call is not None else None,
            taken=self._made[webhook.id, True],
            refused=self._made[webhook.id, False],
        )

    @inlineCallbacks
    def test(self, arguments: Mapping[str, Any]) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """Post a call that tells of nothing to a webhook, also to one that is disabled.

        Raises ``WebhookError``.
        """
        webhook: Webhook = yield self._doors.read(
            "webhooks.find", find_webhook, str(arguments["name"]), str(arguments.get("utility", ""))
        )
        call_id = f"{TEST}-{self._new_id()}"
        body = as_body(call_id, webhook, [], self._now())
        answer: Answer | None = yield self._post(webhook, call_id, body)
        answer = answer or Answer(None, "the daemon stops")
        return {"status": answer.status, "error": answer.error}


def _is_worth_it(news: News, webhook: Webhook, until: int) -> bool:
    """Whether the position is to move: for something new, or a long way."""
    behind, ahead = webhook.position, news.position
    if news.is_new or (not news.is_all and ahead != behind):
        return True
    return ahead != behind and until - _moved_from(behind, ahead) > STALE_MS


def _moved_from(behind: Position, ahead: Position) -> int:
    """When that was from which it would move on: UTC milliseconds."""
    was = (
        (behind.inbound_id != ahead.inbound_id, made_at(behind.inbound_id)),
        (behind.event_id != ahead.event_id, made_at(behind.event_id)),
        (behind.state_at != ahead.state_at, behind.state_at),
    )
    return min((at for has_moved, at in was if has_moved), default=behind.state_at)


def _beside(work: Deferred[Any]) -> Deferred[None]:
    """Done when ``work`` is, without having a part in its result."""
    done: Deferred[None] = Deferred()

    def tell(result: Any) -> Any:
        done.callback(None)
        return result

    work.addBoth(tell)
    return done
