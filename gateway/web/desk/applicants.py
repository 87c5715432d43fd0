"""Who a request is about: looked up while its form is filled in, before it is registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.requests.kinds import About, FieldType, RequestKind
from core.subscribers import Detail, Found, SubscriberFilter, find_subscriber, search
from core.subscribers.records import contacts_of
from core.text import ascii_digits
from gateway.web.desk.counter_desk import FIELD
from gateway.web.desk.forms import Form
from gateway.web.desk.visit import Visit

NUMBER: Final = "number"
_SEVERAL: Final = 10
"""So many subscriptions of one mobile are offered."""


class Applicant(NamedTuple):
    """What the form shows of a subscription."""

    detail: Detail
    whole: bool
    """Whether the visitor sees whose it is."""


class Looked(NamedTuple):
    """What came of looking."""

    applicant: Applicant | None = None
    several: Sequence[str] = ()
    """Numbers of the subscriptions that what was typed is of, where it is of more than one."""


def may_look(visit: Visit, utility: str, kind: RequestKind) -> bool:
    """Whether the form has a subscription, and the visitor may look it up."""
    return kind.about is not About.NONE and visit.may(Permission.SUBSCRIBER_SEE, utility)


async def look_up(visit: Visit, utility: str, kind: RequestKind, form: Form) -> Looked:
    """Fill the form from whatever names a subscription in its field ``number``.

    It is given its number and the mobile that is registered, where none was written and there
    is but one. Who sees no personal data has to give the number itself, and is told no more of it
    than lists tell. What is not found is said beside the field. Raises ``NotFound`` for who may not
    look at this utility's subscribers.
    """
    visit.check(Permission.SUBSCRIBER_SEE, utility)
    said = form.text(NUMBER, most=60, required=True)
    if not said or not form.is_right:
        return Looked()
    wanted = SubscriberFilter(utilities=[utility], said=said, limit=_SEVERAL)
    found: list[Found] = await visit.read("request.applicant", search, wanted)
    if not visit.may(Permission.PERSONAL_SEE, utility):
        found = [each for each in found if each.number == ascii_digits(said)]
    if not found:
        form.wrong(NUMBER, "requests.wrong.no_subscription")
        return Looked()
    if len(found) > 1:
        form.wrong(NUMBER, "requests.wrong.several")
        await visit.audit(*(_look_at(each) for each in found))
        return Looked(several=[each.number for each in found])
    detail: Detail | None = await visit.read("subscriber", find_subscriber, found[0].id)
    if detail is None:
        form.wrong(NUMBER, "requests.wrong.no_subscription")
        return Looked()
    whole = await visit.sees_personal(_look_at(detail))
    form.fill(number=detail.number)
    if whole:
        await _fill_mobile(visit, kind, form, detail)
    return Looked(Applicant(detail, whole))


def _look_at(one: Found | Detail) -> Entry:
    return Entry("subscriber.see", f"subscriber:{one.id}", one.utility)


async def _fill_mobile(visit: Visit, kind: RequestKind, form: Form, detail: Detail) -> None:
    own = kind.field_of(FieldType.MOBILE)
    name = f"{FIELD}{own.name}" if own else "mobile"
    if form.raw(name):
        return
    registered = await visit.read("contacts", contacts_of, detail.id)
    if len(registered) == 1:
        form.fill(**{name: f"0{registered[0].mobile.removeprefix('98')}"})
