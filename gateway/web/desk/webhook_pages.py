"""Webhooks: which other systems are told what happens, and how they take it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from core.access.permissions import EVERY_UTILITY, Permission
from core.webhooks.calls import Standing, list_calls, standings, state_of
from core.webhooks.store import (
    By,
    New,
    Webhook,
    WebhookError,
    add_webhook,
    disable_webhook,
    enable_webhook,
    remove_webhook,
)
from core.webhooks.topics import EVERY_EVENT, EVERY_MESSAGE, INBOUND, MESSAGE, TOPICS, Topics
from gateway.addresses import checked_elsewhere
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.texts import PERSIAN
from gateway.web.desk.visit import Visit

routes = Routes()
_EDIT: Final = Permission.WEBHOOK_EDIT
_LATEST: Final = 20


@routes.route("GET", "/webhooks", _EDIT)
async def show(visit: Visit) -> bytes:
    """Those that the visitor may know of."""
    found = [(each, state_of(each)) for each in await _standings(visit)]
    return visit.page("webhooks.html", webhooks=found, words=partial(_words, visit))


@routes.route("GET", "/webhooks/new", _EDIT)
async def begin(visit: Visit) -> bytes:
    """A form to be filled in."""
    return _page(visit, visit.blank())


@routes.route("POST", "/webhooks/new", _EDIT)
async def add(visit: Visit) -> bytes:
    """Add one, and show its secret this once."""
    form = visit.form
    new = _read(visit, form)
    if not form.is_right:
        return _page(visit, form, 422)
    by, keys = _by(visit), visit.means.keys
    try:
        _webhook, secret = await visit.means.transact(
            "desk.webhook.add", add_webhook, keys, by, new
        )
    except WebhookError as error:
        form.wrong(error.field, f"webhooks.error.{error.key}")
        return _page(visit, form, 422)
    return visit.page("webhook_made.html", name=new.name, secret=secret)


@routes.route("GET", "/webhooks/<name>", _EDIT)
async def one(visit: Visit, name: str) -> bytes:
    """One of them, with its latest calls."""
    standing = await _standing(visit, name)
    calls = await visit.read("webhook.calls", list_calls, standing.webhook.id, _LATEST)
    return visit.page(
        "webhook.html",
        webhook=standing.webhook,
        call=standing.call,
        state=state_of(standing),
        calls=calls,
        words=partial(_words, visit),
    )


@routes.route("POST", "/webhooks/<name>/<any(enable, skip, disable, remove):act>", _EDIT)
async def act_on(visit: Visit, name: str, act: str) -> bytes:
    """Go on, from where it was or from now; or tell it nothing, for now or ever."""
    webhook: Webhook = (await _standing(visit, name)).webhook
    work: Any = {"disable": disable_webhook, "remove": remove_webhook}.get(act, enable_webhook)

    def do(connection: Any) -> None:
        more = {"from_now": True} if act == "skip" else {}
        work(connection, _by(visit), name, webhook.utility, **more)

    await visit.means.transact(f"desk.webhook.{act}", do)
    place = "/webhooks" if act == "remove" else f"/webhooks/{name}"
    return visit.go(place, f"webhooks.done.{act}")


# --- help ---------------------------------------------------------------------------------


def _by(visit: Visit) -> By:
    return By(visit.means.scribe, visit.actor, visit.means.now_ms())


async def _standings(visit: Visit) -> Sequence[Standing]:
    scope = visit.scope(_EDIT)
    found: Sequence[Standing] = await visit.read("webhooks", standings)
    return [each for each in found if scope is None or each.webhook.utility in scope]


async def _standing(visit: Visit, name: str) -> Standing:
    for each in await _standings(visit):
        if each.webhook.name == name:
            return each
    raise NotFound


def _read(visit: Visit, form: Form) -> New:
    """What the form says; what is wrong stands beside its field."""
    name = form.text("name", most=63, required=True)
    every = visit.scope(_EDIT) is None
    known = visit.utilities(_EDIT)
    utility = form.choice("utility", known, required=not every) or EVERY_UTILITY
    url = form.text("url", most=2000, required=True)
    try:
        checked_elsewhere(url or "https://example.ir")
    except ValueError:
        form.wrong("url", "webhooks.error.url")
    topics = form.choices("topics", {each: each for each in TOPICS})
    if not topics:
        form.wrong("topics", "webhooks.error.topics")
    seeing = visit.scope(Permission.PERSONAL_SEE)
    if seeing is not None and utility not in seeing:
        form.wrong("utility", "webhooks.error.personal")
    return New(name, utility, url, Topics(topics))


def _topic(visit: Visit, topic: str) -> str:
    """What a topic is called."""
    if topic == INBOUND:
        return visit.say("webhooks.topic.inbound")
    if topic in (EVERY_MESSAGE, EVERY_EVENT):
        return visit.say(f"webhooks.topic.{topic.partition('.')[0]}s")
    form, _, name = topic.partition(".")
    if f"{form}." == MESSAGE:
        return visit.say("webhooks.topic.message", end=visit.say(f"webhooks.topic.{name}"))
    return visit.say("webhooks.topic.event", kind=visit.say(f"templates.on_is.{name}"))


def _words(visit: Visit, topics: Topics) -> str:
    join = "، " if visit.language == PERSIAN else ", "
    return join.join(_topic(visit, each) for each in TOPICS if each in topics.names)


def _page(visit: Visit, form: Form, code: int = 200) -> bytes:
    return visit.page(
        "webhook_new.html",
        code=code,
        form=form,
        topics=[(each, _topic(visit, each)) for each in TOPICS],
        utilities=list(visit.utilities(_EDIT).items()),
        may_every=visit.scope(_EDIT) is None,
    )
