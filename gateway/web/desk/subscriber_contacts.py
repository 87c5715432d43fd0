"""The mobiles of a subscription, registered and taken away by staff."""

from __future__ import annotations

from typing import Any

from core.access.audit import Entry
from core.access.permissions import Permission
from core.contact_changes import (
    AlreadyRegistered,
    ConfirmFirst,
    ContactChange,
    NotRegistered,
    add_contact,
    remove_contact,
)
from core.identifiers import masked_mobile
from core.subscribers import Detail
from core.subscribers.records import Contact, contacts_of
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.subscriber_pages import known_for, subscriber_page
from gateway.web.desk.visit import Visit

routes = Routes()
_ROUTE = "/subscribers/<int:subscriber_id>/contacts"


@routes.route("POST", _ROUTE, Permission.SUBSCRIBER_EDIT)
async def add(visit: Visit, subscriber_id: int) -> bytes:
    """Register a mobile; where there are others, when it is said a second time."""
    detail = await known_for(visit, subscriber_id, Permission.SUBSCRIBER_EDIT)
    form, means = visit.form, visit.means
    mobile = form.mobile("mobile", required=True)
    if mobile is None:
        return await subscriber_page(visit, subscriber_id, form, 422)
    change = ContactChange(detail.id, mobile, means.now_ms())
    # What was confirmed is this very mobile, not another that was typed meanwhile.
    confirmed = form.raw("confirmed") == means.keys.sign("contact", f"{detail.id} {mobile}")

    def work(connection: Any) -> None:
        add_contact(connection, means.ids, change, confirmed=confirmed)

    try:
        await visit.change(_entry("subscriber.contact_add", detail, mobile), work)
    except AlreadyRegistered:
        form.wrong("mobile", "subscribers.already_registered")
        return await subscriber_page(visit, subscriber_id, form, 422)
    except ConfirmFirst as others:
        form.fill(confirmed=means.keys.sign("contact", f"{detail.id} {mobile}"))
        return await subscriber_page(visit, subscriber_id, form, confirm=others.count)
    return visit.go(f"/subscribers/{detail.id}", "subscribers.contact_added")


@routes.route("POST", f"{_ROUTE}/<int:contact_id>/remove", Permission.SUBSCRIBER_EDIT)
async def remove(visit: Visit, subscriber_id: int, contact_id: int) -> bytes:
    """Take a mobile away."""
    detail = await known_for(visit, subscriber_id, Permission.SUBSCRIBER_EDIT)
    means = visit.means
    known: list[Contact] = await visit.read("subscriber.contacts", contacts_of, detail.id)
    contact = next((each for each in known if each.id == contact_id), None)
    if contact is None:
        raise NotFound
    change = ContactChange(detail.id, contact.mobile, means.now_ms())
    entry = _entry("subscriber.contact_remove", detail, contact.mobile)
    try:
        await visit.change(entry, remove_contact, means.ids, change)
    except NotRegistered:
        raise NotFound from None
    return visit.go(f"/subscribers/{detail.id}", "subscribers.contact_removed")


def _entry(action: str, detail: Detail, mobile: str) -> Entry:
    told = {"mobile": masked_mobile(mobile)}
    return Entry(action, f"subscriber:{detail.id}", detail.utility, told)
