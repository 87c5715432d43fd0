"""The calls of webhooks: one under way for each, stored before it is made.

What becomes of a call is judged here: done, tried again after a while that grows, or given up
after about a day, when its webhook is disabled until somebody enables it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, insert, select, update

from core.jalali import iso
from core.tables import webhook_calls, webhooks
from core.webhooks.news import News
from core.webhooks.store import Webhook, as_webhook

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 3_600_000
MOST_ATTEMPTS: Final = 33
"""With these pauses: about a day."""
GONE: Final = 410
"""HTTP's word for a receiver that wants no more calls, ever."""
_GROWTH: Final = 10
"""Beyond as many doublings the pause is the longest."""


class Call(NamedTuple):
    """One call, as it is or was made."""

    id: int
    items: int
    body: str
    """Empty once it is over."""
    attempts: int
    due_at: int | None
    """None: it is over."""
    status: int | None
    """HTTP's, of the last answer."""
    error: str | None
    created_at: int
    ended_at: int | None


class Standing(NamedTuple):
    """A webhook and its call under way."""

    webhook: Webhook
    call: Call | None


class Answer(NamedTuple):
    """What came of making a call."""

    status: int | None
    error: str
    """Empty when the receiver has it."""


class Verdict(StrEnum):
    """What follows from an answer."""

    DONE = "done"
    AGAIN = "again"
    GIVEN_UP = "given_up"


def judge(answer: Answer, attempts: int) -> Verdict:
    """What follows when this was attempt number ``attempts``, counted from 1."""
    if not answer.error:
        return Verdict.DONE
    is_over = answer.status == GONE or attempts >= MOST_ATTEMPTS
    return Verdict.GIVEN_UP if is_over else Verdict.AGAIN


def pause_after(attempts: int) -> int:
    """Milliseconds until the next attempt."""
    return min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(attempts - 1, _GROWTH))


def state_of(standing: Standing) -> str:
    """How it is, in a word: ``told``, ``failing``, ``disabled``, ``given_up``."""
    webhook, call = standing
    if webhook.disabled_at is not None:
        return "given_up" if webhook.gave_up else "disabled"
    return "failing" if call is not None and call.error else "told"


def standings(connection: Connection) -> list[Standing]:
    """All webhooks, each with its call under way; one statement."""
    return [_standing(row) for row in connection.execute(_STANDINGS)]


def standing_of(connection: Connection, webhook_id: int) -> Standing | None:
    """One of them; None when it has been removed."""
    query = _STANDINGS.where(webhooks.c.id == webhook_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _standing(row)


def begin_call(
    connection: Connection, webhook: Webhook, news: News, call_id: int, now: int
) -> bool:
    """Store a call that tells of ``news`` and move on, or move on alone where it is empty.

    False when somebody else has done so meanwhile, or the webhook is to be told nothing now.
    """
    new_call = call_id if news.is_new else None
    moved = connection.execute(
        update(webhooks)
        .where(
            webhooks.c.id == webhook.id,
            webhooks.c.call_id.is_(None),
            webhooks.c.disabled_at.is_(None),
            *(webhooks.c[name] == at for name, at in webhook.position._asdict().items()),
        )
        .values(call_id=new_call, **news.position._asdict())
    ).rowcount
    if moved and news.is_new:
        connection.execute(
            insert(webhook_calls).values(
                id=call_id,
                webhook_id=webhook.id,
                items=len(news.items),
                body=as_body(call_id, webhook, news.items, now),
                attempts=0,
                due_at=now,
                created_at=now,
            )
        )
    return bool(moved)


def as_body(call_id: int | str, webhook: Webhook, items: Sequence[Any], now: int) -> str:
    """What is posted."""
    said = {"id": str(call_id), "webhook": webhook.name, "at": iso(now), "items": list(items)}
    return json.dumps(said, ensure_ascii=False)


def settle_call(
    connection: Connection, webhook_id: int, call: Call, answer: Answer, now: int
) -> Verdict | None:
    """Store what came of a call; None where it is not under way any more."""
    attempts = call.attempts + 1
    verdict = judge(answer, attempts)
    values: dict[str, Any] = {"attempts": attempts, "status": answer.status}
    values["error"] = answer.error or None
    if verdict is Verdict.DONE:
        values |= {"due_at": None, "ended_at": now, "body": ""}
    else:
        values["due_at"] = now + pause_after(attempts)
    under_way = webhook_calls.c.id == call.id, webhook_calls.c.due_at.is_not(None)
    found = connection.execute(update(webhook_calls).where(*under_way).values(values)).rowcount
    if not found:
        return None
    its = update(webhooks).where(webhooks.c.id == webhook_id)
    if verdict is Verdict.DONE:
        connection.execute(its.where(webhooks.c.call_id == call.id).values(call_id=None))
    elif verdict is Verdict.GIVEN_UP:
        enabled = its.where(webhooks.c.disabled_at.is_(None))
        connection.execute(enabled.values(disabled_at=now, disabled_by=""))
    return verdict


def list_calls(connection: Connection, webhook_id: int, limit: int) -> list[Call]:
    """The latest calls of a webhook, the newest first."""
    query = (
        select(*(webhook_calls.c[name] for name in Call._fields))
        .where(webhook_calls.c.webhook_id == webhook_id)
        .order_by(webhook_calls.c.id.desc())
        .limit(limit)
    )
    return [Call(*row) for row in connection.execute(query)]


_STANDINGS: Final[Select[Any]] = (
    select(webhooks, *(webhook_calls.c[name].label(f"call_{name}_") for name in Call._fields))
    .outerjoin(webhook_calls, webhook_calls.c.id == webhooks.c.call_id)
    .order_by(webhooks.c.id)
)


def _standing(row: Any) -> Standing:
    of_call = [getattr(row, f"call_{name}_") for name in Call._fields]
    return Standing(as_webhook(row), None if of_call[0] is None else Call(*of_call))
