"""What the pages about requests share: whose they are, who may do what, mistakes in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.requests.box import Side
from core.requests.browse import Shown, find_request
from core.requests.changes import following, kind_or_gone
from core.requests.counter import Counter, RequestError
from core.requests.kinds import FeeKind, FieldType, RequestKind, Services
from core.requests.rows import Request
from core.requests.states import EDITABLE, FINAL, RequestState
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.visit import Visit

FIELD: Final = "field_"
"""What the names of a kind's own fields begin with in a form."""
_FEES: Final = frozenset({RequestState.FEE_ANNOUNCED, RequestState.VOUCHER_ISSUED})


class Filled(NamedTuple):
    """What was filled into a field."""

    title: str
    type: FieldType
    value: str | date
    title_en: str = ""


class Opened(NamedTuple):
    """A request that the visitor may know of."""

    shown: Shown
    services: Services
    kind: RequestKind

    @property
    def request(self) -> Request:
        """Its row."""
        return self.shown.request

    @property
    def state(self) -> RequestState:
        """Where it stands."""
        return RequestState(self.request.state)

    @property
    def filled(self) -> list[Filled]:
        """Its fields in the order of its kind; last those that the kind has no more."""
        values = dict(self.request.values)
        found = [
            Filled(field.title, field.type, values.pop(field.name), field.title_en)
            for field in self.kind.fields
            if field.name in values
        ]
        found += [Filled(name, FieldType.TEXT, value) for name, value in values.items()]
        return [
            each._replace(value=date.fromisoformat(str(each.value)))
            if each.type is FieldType.DATE
            else each
            for each in found
        ]

    @property
    def is_editable(self) -> bool:
        """Whether the company is not yet at work on it."""
        return self.state in EDITABLE

    @property
    def is_final(self) -> bool:
        """Whether it has come to its end."""
        return self.state in FINAL

    @property
    def may_be_cancelled(self) -> bool:
        """Whether it may be given up."""
        return RequestState.CANCELLED in following(self.kind, self.state)

    @property
    def next_states(self) -> list[str]:
        """The states that somebody may put it into; those that tell a fee have a form of theirs."""
        return [each.value for each in following(self.kind, self.state) if each not in _FEES]

    @property
    def may_announce(self) -> bool:
        """Whether its fee may be told before it can be paid."""
        return RequestState.FEE_ANNOUNCED in following(self.kind, self.state)

    @property
    def takes_fee(self) -> bool:
        """Whether a voucher may be issued, or issued anew."""
        may = {*following(self.kind, self.state), self.state}
        return self.kind.fee is not FeeKind.NONE and RequestState.VOUCHER_ISSUED in may


async def opened_for(visit: Visit, request_id: int, permission: Permission) -> Opened:
    """A request that the visitor may do that with. Raises ``NotFound``."""
    shown: Shown | None = await visit.read("request", find_request, request_id)
    if shown is None:
        raise NotFound
    request = shown.request
    visit.check(Permission.REQUEST_SEE, request.utility)
    visit.check(permission, request.utility)
    if visit.user.office and request.office != visit.user.office:
        raise NotFound
    services = services_of(visit, request.utility)
    return Opened(shown, services, kind_or_gone(services, request.kind))


def services_of(visit: Visit, utility: str) -> Services:
    """What a utility may be asked for. Raises ``NotFound`` for one that no line serves."""
    mind = visit.means.mind_of(utility)
    if mind is None:
        raise NotFound
    return mind.terms.services


def all_services(visit: Visit, permission: Permission) -> dict[str, Services]:
    """The same of every utility that the visitor may do that for."""
    return {utility: services_of(visit, utility) for utility in visit.utilities(permission)}


def counter_of(visit: Visit, utility: str, services: Services, as_of: int | None = None) -> Counter:
    """The visitor at the counter, now."""
    means = visit.means
    return Counter(utility, services, means.ids, visit.user.name, means.now_ms(), as_of)


def side_of(visit: Visit, request: Request) -> Side | None:
    """The side on which the visitor may write about a request; None: on neither.

    Who is of an office writes for it; for the utility, whoever decides on its requests.
    """
    if request.office is None or not visit.may(Permission.REQUEST_MESSAGE, request.utility):
        return None
    if visit.user.office:
        return Side.OFFICE
    return Side.UTILITY if visit.may(Permission.REQUEST_DECIDE, request.utility) else None


async def sees_whole(visit: Visit, request: Request) -> bool:
    """Whether the visitor sees whose request it is; a look is written down."""
    return await visit.sees_personal(entry_of("request.see", request))


def entry_of(action: str, request: Request, **details: Any) -> Entry:
    """What the audit log tells of something that was done to a request."""
    return Entry(action, f"request:{request.tracking}", request.utility, details)


def put_mistake(form: Form, error: RequestError, places: Mapping[str, str] | None = None) -> None:
    """Say beside its field what is wrong; raises ``Refusal`` for what is in no field.

    ``places``: the form's names of what the error calls otherwise.
    """
    key = f"requests.wrong.{error.key}"
    place = (places or {}).get(error.place, error.place)
    if place.startswith("fields."):
        place = f"{FIELD}{place.removeprefix('fields.')}"
    if not place:
        raise Refusal(409, key) from None
    form.wrong(place, key)
