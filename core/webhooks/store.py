"""Webhooks as they are stored: added, listed, disabled, enabled, removed; each change audited."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from core.access.audit import BY_COMMAND, Actor, Entry, Scribe
from core.ids import first_id_at
from core.secrecy import Keys
from core.tables import webhook_calls, webhooks
from core.webhooks.topics import Topics

PURPOSE: Final = "webhook secret"
"""What secrets are sealed for."""
SECRET_BYTES: Final = 32
MOST: Final = 50
"""Webhooks that there can be: each has a connection of its own while it is told."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class WebhookError(Exception):
    """What is asked for cannot be done, in words for who asked; ``field`` is what is wrong."""

    def __init__(self, field: str, words: str, key: str) -> None:
        """``key``: what is wrong, in any language."""
        super().__init__(words)
        self.field = field
        self.key = key


class Position(NamedTuple):
    """How far a webhook has been told."""

    inbound_id: int
    event_id: int
    state_at: int
    state_id: int


class Webhook(NamedTuple):
    """One receiver."""

    id: int
    name: str
    utility: str
    """Whose data; empty: every one's."""
    url: str
    sealed: str
    """Its secret, under the master key."""
    topics: Topics
    position: Position
    call_id: int | None
    """The call under way."""
    created_at: int
    created_by: str
    disabled_at: int | None
    disabled_by: str | None
    """Empty: by itself, as it took nothing for a long time."""

    @property
    def gave_up(self) -> bool:
        """Whether it was disabled because it took nothing."""
        return self.disabled_at is not None and not self.disabled_by

    @property
    def may_lead_here(self) -> bool:
        """Whether it may be on the daemon's own machine: who added it could do as much there."""
        return self.created_by.startswith(BY_COMMAND)


class New(NamedTuple):
    """What is said of a new one."""

    name: str
    utility: str
    url: str
    topics: Topics


class By(NamedTuple):
    """Who does it, when, and who writes it down."""

    scribe: Scribe | None
    """None: whoever asks for it writes the log."""
    actor: Actor
    now_ms: int

    def note(
        self, connection: Connection, action: str, webhook: Webhook | New, **details: object
    ) -> None:
        """Write a line about a webhook."""
        if self.scribe is None:
            return
        entry = Entry(f"webhook.{action}", f"webhook:{webhook.name}", webhook.utility, details)
        self.scribe.write(connection, self.now_ms, self.actor, entry)


def add_webhook(connection: Connection, keys: Keys, by: By, new: New) -> tuple[Webhook, str]:
    """Add one that is told of what happens from now on; it, and its secret, told only here.

    The URL has been checked. Raises ``WebhookError``.
    """
    if not _NAME.fullmatch(new.name):
        words = "a name has lower-case letters, digits, dots and dashes"
        raise WebhookError("name", words, "name")
    there = list_webhooks(connection)
    if any(each.name == new.name for each in there):
        raise WebhookError("name", f"there is a webhook {new.name!r} already", "taken")
    if len(there) >= MOST:
        raise WebhookError("name", f"there are {MOST} webhooks; remove one first", "many")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    connection.execute(
        insert(webhooks).values(
            name=new.name,
            utility=new.utility,
            url=new.url,
            secret=keys.seal(PURPOSE, secret),
            what=json.dumps(sorted(new.topics.names)),
            **_from_now(by.now_ms),
            created_at=by.now_ms,
            created_by=by.actor.who,
        )
    )
    by.note(connection, "add", new, url=new.url, topics=sorted(new.topics.names))
    return find_webhook(connection, new.name), secret


def remove_webhook(connection: Connection, by: By, name: str, utility: str = "") -> None:
    """Remove one with its calls. Raises ``WebhookError``."""
    webhook = find_webhook(connection, name, utility)
    connection.execute(delete(webhook_calls).where(webhook_calls.c.webhook_id == webhook.id))
    connection.execute(delete(webhooks).where(webhooks.c.id == webhook.id))
    by.note(connection, "remove", webhook)


def disable_webhook(connection: Connection, by: By, name: str, utility: str = "") -> bool:
    """Tell it nothing until it is enabled; whether it was told. Raises ``WebhookError``."""
    webhook = find_webhook(connection, name, utility)
    if webhook.disabled_at is not None and not webhook.gave_up:
        return False
    values = {"disabled_at": webhook.disabled_at or by.now_ms, "disabled_by": by.actor.who}
    connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(values))
    by.note(connection, "disable", webhook)
    return webhook.disabled_at is None


def enable_webhook(
    connection: Connection, by: By, name: str, utility: str = "", *, from_now: bool = False
) -> bool:
    """Go on where it was, at once, or with what happens from now on; whether that changed it.

    One that is enabled and waits for its next attempt makes that now.

    Raises ``WebhookError``.
    """
    webhook = find_webhook(connection, name, utility)
    if webhook.disabled_at is None and webhook.call_id is None and not from_now:
        return False
    values: dict[str, Any] = {"disabled_at": None, "disabled_by": None}
    call = update(webhook_calls).where(webhook_calls.c.id == webhook.call_id)
    if from_now:
        values |= {**_from_now(by.now_ms), "call_id": None}
        call = call.values(due_at=None, ended_at=by.now_ms, body="")
    else:
        call = call.values(due_at=by.now_ms, attempts=0)
    if webhook.call_id is not None:
        connection.execute(call)
    connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(values))
    by.note(connection, "enable", webhook, from_now=from_now)
    return True


def list_webhooks(
    connection: Connection, utilities: Collection[str] | None = None
) -> list[Webhook]:
    """All of them, or those of these utilities' data, by name."""
    query = select(webhooks).order_by(webhooks.c.name)
    if utilities is not None:
        query = query.where(webhooks.c.utility.in_(sorted(utilities)))
    return [as_webhook(row) for row in connection.execute(query)]


def find_webhook(connection: Connection, name: str, utility: str = "") -> Webhook:
    """The one of that name; with a ``utility`` only if it is for its data.

    Raises ``WebhookError``.
    """
    row = connection.execute(select(webhooks).where(webhooks.c.name == name)).one_or_none()
    if row is None or utility not in ("", row.utility):
        words = f"there is no webhook {name!r}; `peyk webhook list` lists them"
        raise WebhookError("name", words, "gone")
    return as_webhook(row)


def as_webhook(row: Any) -> Webhook:
    """A row of the table."""
    return Webhook(
        row.id,
        row.name,
        row.utility,
        row.url,
        row.secret,
        Topics(json.loads(row.what)),
        Position(row.inbound_id, row.event_id, row.state_at, row.state_id),
        row.call_id,
        row.created_at,
        row.created_by,
        row.disabled_at,
        row.disabled_by,
    )


def _from_now(now: int) -> dict[str, int]:
    first = first_id_at(now) - 1
    return Position(first, first, now - 1, 0)._asdict()
