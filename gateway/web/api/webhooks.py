"""Webhooks: who else is told what happens (docs/webhooks.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from core.access.permissions import EVERY_UTILITY, Permission
from core.jalali import instant_of
from core.webhooks import store
from core.webhooks.calls import list_calls, standings
from core.webhooks.store import By, New, Webhook, WebhookError, find_webhook
from core.webhooks.topics import TOPICS, parse_topics
from gateway.addresses import checked_elsewhere
from gateway.web.api.call import Call
from gateway.web.api.models import At, Id, Misfit, Model, Nothing
from gateway.web.api.problems import invalid, not_found
from gateway.web.api.routes import Routes

routes = Routes("webhooks", "Webhooks")

_LATEST = 50


def _address(said: str) -> str:
    try:
        return checked_elsewhere(said)
    except ValueError as error:
        raise Misfit(str(error), "نشانی باید با https:// آغاز شود و درست باشد") from None


def _topics(said: list[str]) -> list[str]:
    try:
        return sorted(parse_topics(said).names)
    except ValueError as error:
        raise Misfit(str(error), f"از این‌ها نیست: {', '.join(TOPICS)}") from None


class NewWebhook(Model):
    """A receiver of what happens."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    utility: str | None = Field(
        None, description="Whose data it is told of; null: the token's, or every one's."
    )
    url: Annotated[str, Field(max_length=2000), AfterValidator(_address)]
    topics: Annotated[list[str], Field(min_length=1, max_length=50), AfterValidator(_topics)] = (
        Field(description="What it is told of: `inbound`, `message.*`, `event.bill_issued` …")
    )


class Told(Model):
    """A webhook."""

    name: str
    utility: str | None = Field(description="null: every one's.")
    url: str
    topics: list[str]
    enabled: bool
    gave_up: bool = Field(description="It was disabled because it took nothing for a day.")
    attempts: int = Field(description="Of the call under way.")
    error: str | None = Field(description="Why that was not taken.")
    created_at: At


class Added(Told):
    """A webhook that is new."""

    secret: str = Field(description="Signs the calls; shown only here.")


class AllWebhooks(Model):
    """All there are."""

    items: list[Told]


class Made(Model):
    """One call of a webhook."""

    id: Id
    items: int
    attempts: int
    status: int | None = Field(description="HTTP's, of the last answer.")
    error: str | None
    created_at: At
    ended_at: At | None = Field(description="null: it is under way.")


class LatestCalls(Model):
    """The latest calls, the newest first."""

    items: list[Made]


class Going(Model):
    """How a webhook goes on."""

    from_now: bool = Field(
        default=False, description="Leave out what happened since it was disabled."
    )


class Changed(Model):
    """What became of it."""

    changed: bool


@routes.route(
    "GET", "/webhooks", Permission.WEBHOOK_EDIT, summary="All webhooks", answers=AllWebhooks
)
def listed(call: Call[Nothing, None], connection: Any) -> AllWebhooks:
    """And how each of them takes what it is told."""
    scope = call.scope
    found = [
        _told(webhook, under_way.attempts, under_way.error) if under_way else _told(webhook)
        for webhook, under_way in standings(connection)
        if scope is None or webhook.utility in scope
    ]
    return AllWebhooks(items=found)


@routes.route(
    "POST",
    "/webhooks",
    Permission.WEBHOOK_EDIT,
    summary="Add a webhook",
    body=NewWebhook,
    answers=Added,
    status=201,
    action="webhook.add",
    is_secret=True,
    example={"name": "crm", "url": "https://crm.example.ir/peyk", "topics": ["inbound"]},
)
def add(call: Call[Nothing, NewWebhook], connection: Any) -> Added:
    """It is told what happens from now on. Its secret is in this answer and nowhere else.

    It is told whole mobiles and texts, so the token needs `personal.see` too.
    """
    body = call.body
    whole = call.scope is None and body.utility is None
    utility = EVERY_UTILITY if whole else call.utility(body.utility)
    if not call.sees_personal(utility or None):
        raise invalid(
            "/utility",
            "a webhook is told personal data: the token needs personal.see",
            "وب‌هوک اطلاعات شخصی می‌گیرد: کلید باید اجازهٔ personal.see داشته باشد",
        )
    new = New(body.name, utility, body.url, parse_topics(body.topics))
    try:
        webhook, secret = store.add_webhook(connection, call.means.keys, _by(call), new)
    except WebhookError as error:
        raise invalid(
            f"/{error.field}", str(error), "این نام گرفته شده، یا شمار وب‌هوک‌ها پر است"
        ) from None
    call.note(f"webhook:{body.name}", utility)
    return Added(**_told(webhook).model_dump(), secret=secret)


@routes.route(
    "GET",
    "/webhooks/<name>/calls",
    Permission.WEBHOOK_EDIT,
    summary="The latest calls of a webhook",
    answers=LatestCalls,
)
def calls(call: Call[Nothing, None], connection: Any, name: str) -> LatestCalls:
    """At most fifty."""
    found = list_calls(connection, _find(call, connection, name).id, _LATEST)
    return LatestCalls(
        items=[
            Made(
                id=str(each.id),
                items=each.items,
                attempts=each.attempts,
                status=each.status,
                error=each.error,
                created_at=instant_of(each.created_at),
                ended_at=None if each.ended_at is None else instant_of(each.ended_at),
            )
            for each in found
        ]
    )


@routes.route(
    "POST",
    "/webhooks/<name>/disable",
    Permission.WEBHOOK_EDIT,
    summary="Tell a webhook nothing",
    answers=Changed,
    action="webhook.disable",
)
def disable(call: Call[Nothing, None], connection: Any, name: str) -> Changed:
    """Until it is enabled; it is told then what happened meanwhile."""
    webhook = _find(call, connection, name)
    changed = store.disable_webhook(connection, _by(call), name)
    call.note(f"webhook:{name}", webhook.utility)
    return Changed(changed=changed)


@routes.route(
    "POST",
    "/webhooks/<name>/enable",
    Permission.WEBHOOK_EDIT,
    summary="Go on telling a webhook",
    body=Going,
    answers=Changed,
    action="webhook.enable",
    example={"from_now": True},
)
def enable(call: Call[Nothing, Going], connection: Any, name: str) -> Changed:
    """From where it was, or with what happens from now on."""
    webhook, from_now = _find(call, connection, name), call.body.from_now
    changed = store.enable_webhook(connection, _by(call), name, from_now=from_now)
    call.note(f"webhook:{name}", webhook.utility, from_now=from_now)
    return Changed(changed=changed)


@routes.route(
    "DELETE",
    "/webhooks/<name>",
    Permission.WEBHOOK_EDIT,
    summary="Remove a webhook",
    answers=Changed,
    action="webhook.remove",
)
def remove(call: Call[Nothing, None], connection: Any, name: str) -> Changed:
    """With its calls."""
    webhook = _find(call, connection, name)
    store.remove_webhook(connection, _by(call), name)
    call.note(f"webhook:{name}", webhook.utility)
    return Changed(changed=True)


def _by(call: Call[Any, Any]) -> By:
    return By(None, call.actor, call.now)


def _find(call: Call[Any, Any], connection: Any, name: str) -> Webhook:
    try:
        webhook = find_webhook(connection, name)
    except WebhookError:
        raise not_found() from None
    call.check(webhook.utility or None)
    return webhook


def _told(webhook: Webhook, attempts: int = 0, error: str | None = None) -> Told:
    return Told(
        name=webhook.name,
        utility=webhook.utility or None,
        url=webhook.url,
        topics=sorted(webhook.topics.names),
        enabled=webhook.disabled_at is None,
        gave_up=webhook.gave_up,
        attempts=attempts,
        error=error,
        created_at=instant_of(webhook.created_at),
    )
