"""The kinds of requests a utility takes: what each asks for, costs, and goes through.

A profile's ``services.toml`` says them (``gateway.services`` reads it); nothing here names a
kind, so that a new service is data. Source: seed 000, annex 1 (the services and the table of
their steps) and annex 2, patterns 5 to 13. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from core.requests.states import WITHOUT_FEE, RequestState


class Door(StrEnum):
    """Who may register a request of a kind."""

    TEXT = "text"
    """A subscriber, by text or by dialling."""
    PORTAL = "portal"
    """A subscriber, through the utility's portal or the API."""
    COUNTER = "counter"
    """A counter office (دفتر پیشخوان), or the utility's own staff."""


class About(StrEnum):
    """Whether a request is about a subscription."""

    SUBSCRIPTION = "subscription"
    """Always: by text the asker shows a right to it."""
    OPTIONAL = "optional"
    """A complaint is taken from whoever has none, too."""
    NONE = "none"
    """Never: somebody asks for a first connection."""


class Words(StrEnum):
    """Whether free text comes with a request."""

    NEEDED = "needed"
    OPTIONAL = "optional"
    NONE = "none"


class FeeKind(StrEnum):
    """What a request costs."""

    NONE = "none"
    FIXED = "fixed"
    """Known beforehand: ``RequestKind.fee_amount``."""
    ANNOUNCED = "announced"
    """Told after the utility has looked at it."""
    COMPUTED = "computed"
    """Computed from the request's fields by the utility's own system, and told from there."""


class FieldType(StrEnum):
    """What a field of a request holds; each is checked in ``core.requests.fields``."""

    TEXT = "text"
    NUMBER = "number"
    """Digits: a whole number from zero on."""
    NATIONAL_CODE = "national_code"
    """A person's کد ملی, or a company's شناسه ملی."""
    MOBILE = "mobile"
    SUBSCRIPTION = "subscription"
    """A subscription (file) number of this utility, such as the neighbour's."""
    READING = "reading"
    METER_SERIAL = "meter_serial"
    BILL_ID = "bill_id"
    DATE = "date"
    CHOICE = "choice"


class Automatic(StrEnum):
    """What is done at once with a request that comes by text (annex 2, item 8)."""

    TELL_BILL = "tell_bill"
    """The answer brings what is owed and how to pay it (pattern 6)."""
    COMPARE_SERIAL = "compare_serial"
    """A meter number that the file has already settles the request (pattern 9)."""


@dataclass(frozen=True, slots=True)
class RequestField:
    """One thing that a kind asks for."""

    name: str
    title: str
    type: FieldType = FieldType.TEXT
    required: bool = True
    choices: tuple[str, ...] = ()
    """For a ``CHOICE``: what it may be."""
    title_en: str = ""
    """For staff who read English; ``""``: they see ``title``."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One service: who may ask for it, with what, and what becomes of it."""

    key: str
    title: str
    """As printed."""
    title_en: str = ""
    """For staff who read English; ``""``: they see ``title``."""
    sources: tuple[str, ...] = ()
    """Where the seeds ask for it, such as ``000 annex 1 service 11``."""
    doors: frozenset[Door] = frozenset()
    """Empty for a service that is answered at once and never waits as a request."""
    about: About = About.SUBSCRIPTION
    words: Words = Words.NONE
    fields: tuple[RequestField, ...] = ()
    documents: tuple[str, ...] = ()
    """What has to be brought, as printed."""
    agreement: str = ""
    """What is shown before it is registered, for the applicant to agree to."""
    steps: tuple[str, ...] = ()
    """As the seed's table prints them, in order."""
    fee: FeeKind = FeeKind.NONE
    fee_amount: int = 0
    """Rial, of a fixed fee."""
    account: str = ""
    """The account that the fee goes to, where it is not the utility's usual one."""
    states: tuple[RequestState, ...] = WITHOUT_FEE
    """Those that it may be in."""
    automatic: frozenset[Automatic] = frozenset()
    answered_by: tuple[str, ...] = ()
    """The operations, or commands of ``peyk``, that answer it at once."""

    @property
    def allowed(self) -> frozenset[RequestState]:
        """``states`` as a set."""
        return frozenset(self.states)

    def field_of(self, type_: FieldType) -> RequestField | None:
        """The first field of a type."""
        return next((one for one in self.fields if one.type is type_), None)


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """What the bill ID of a request's voucher is made with (DOMAIN 4)."""

    account: str
    """شماره حساب: where fees go unless the kind says otherwise."""
    company: str
    """Three digits."""
    service: str
    """One digit."""
    period: str = "99"
    """Two digits of the payment ID that a water bill never has, so that the two differ."""


@dataclass(frozen=True, slots=True)
class Services:
    """All kinds of requests of a utility; by default it takes none."""

    kinds: Mapping[str, RequestKind] = field(default_factory=dict)
    voucher: VoucherTerms | None = None
    state_titles: Mapping[str, str] = field(default_factory=dict)
    """Each state in words for the subscriber; a state without any is told by its name."""
    repeat_within: timedelta = timedelta(days=1)
    """The same kind, subscription and text within this time is the same request."""

    def state_title(self, state: str) -> str:
        """The words for a state."""
        return self.state_titles.get(state, state)

    def title(self, kind: str, *, english: bool = False) -> str:
        """The title of a kind, as printed; one that is no longer offered goes by its key."""
        known = self.kinds.get(kind)
        return titled(known, english=english) if known else kind


class Titled(Protocol):
    """A kind or a field."""

    @property
    def title(self) -> str:
        """As printed."""

    @property
    def title_en(self) -> str:
        """In English, where the profile says it."""


def titled(what: Titled, *, english: bool) -> str:
    """Its title for people who read Persian, or English where there is one in it."""
    return what.title_en or what.title if english else what.title
