"""What is said of requests: kinds, requests with their history, and what is done with them."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from core.requests import box
from core.requests.box import Side
from core.requests.kinds import Door
from core.requests.states import RequestState
from gateway.web.api.models import At, Id, Mobile, Model, Number, Paging

_MOST_FIELDS: Final = 50

Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=100)]
Fields = Annotated[dict[Name, Text], Field(max_length=_MOST_FIELDS)]


class Whose(Model):
    """Of which utility."""

    utility: Name | None = Field(None, description="null: the token's.")


class Search(Paging):
    """Which requests."""

    utility: Name | None = None
    kind: Name | None = None
    state: RequestState | None = None
    number: Number | None = None
    mobile: Mobile | None = None
    office: Name | None = None


class AskedFor(Model):
    """One thing that a kind asks for."""

    name: str
    title: str
    title_en: str = Field(description="Empty where the utility gives none.")
    type: str
    required: bool
    choices: list[str]


class Kind(Model):
    """A kind of request."""

    kind: str
    title: str
    title_en: str = Field(description="Empty where the utility gives none.")
    doors: list[Door] = Field(description="Through which it is registered.")
    about: str = Field(description="Whether it is about a subscription.")
    words: str = Field(description="Whether free text comes with it.")
    fields: list[AskedFor]
    documents: list[str] = Field(description="What has to be brought.")
    agreement: str = Field(description="What the applicant agrees to.")
    fee: str
    fee_amount: int = Field(description="Rial, of a fixed fee.")
    states: list[RequestState]


class Kinds(Model):
    """All that a utility takes."""

    items: list[Kind]


class Register(Model):
    """A request as it is brought."""

    utility: Name | None = None
    kind: Name
    number: Name = Field("", description="The subscription that it is about.")
    mobile: Mobile | None = Field(None, description="Whom to tell.")
    fields: Fields = Field(default_factory=dict)
    text: Text = ""
    office: Name = Field("", description="The counter office that it comes from; empty: a portal.")


class Edit(Model):
    """What is changed; the rest stays. An optional field that is set to nothing goes."""

    utility: Name | None = None
    fields: Fields = Field(default_factory=dict)
    text: Text | None = None
    mobile: Mobile | None = None
    as_of: Id | None = Field(
        None, description="`version` of the request that was seen; another by now is 409."
    )


class Decide(Model):
    """Another state."""

    utility: Name | None = None
    state: RequestState
    note: Annotated[str, Field(max_length=500)] = Field("", description="Told to who asked for it.")
    amount: Annotated[int, Field(ge=0, le=10**13)] | None = Field(
        None, description="Rial: the fee, of `fee_announced` and `voucher_issued`."
    )
    account: Name = Field("", description="Where the fee goes, of `voucher_issued`.")
    as_of: Id | None = None


class Write(Model):
    """A message of a request's box."""

    utility: Name | None = None
    side: Side = Field(description="Who writes: the `office`, or the `utility`.")
    text: Annotated[str, Field(min_length=1, max_length=box.LONGEST)]


class Request(Model):
    """A request."""

    tracking: str = Field(description="What its owner follows it by (شماره پیگیری).")
    utility: str
    kind: str
    title: str
    state: RequestState
    number: str | None
    mobile: str | None = Field(description="Masked without `personal.see`.")
    fields: dict[str, str] | None = Field(description="null without `personal.see`.")
    text: str | None = Field(description="null without `personal.see`.")
    source: str
    office: str | None
    fee: int | None
    account: str | None
    bill_id: str | None
    payment_id: str | None
    paid_at: At | None
    created_at: At
    changed_at: At
    version: Id = Field(description="Another one after each change.")


class Step(Model):
    """What was done with it."""

    at: At
    state: str
    by: str
    note: str


class Message(Model):
    """A message between office and utility."""

    id: Id
    at: At
    side: Side
    by: str
    text: str


class Whole(Request):
    """A request with all that was done with it."""

    history: list[Step]
    messages: list[Message] | None = Field(description="null without `request.message`.")
