"""What requests and answers are made of: strict models, and the types that several share.

Ids are 63-bit numbers, which JavaScript's cannot hold: they travel as texts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from core.identifiers import MobileError
from core.identifiers import mobile as mobile_of
from gateway.web.api.problems import Words

MOST_ROWS: Final = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 2090
"""Ids have instants in them, and last no longer."""
T = TypeVar("T")


class Model(BaseModel):
    """A part of a request or an answer; a field that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """No parameters, or no body."""


class Paging(Model):
    """How a list is read page by page."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows of a page.")] = 50
    cursor: Annotated[
        str | None,
        Field(max_length=100, description="`next` of the page before; without it the first."),
    ] = None


class Page(Model, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Problems(Model):
    """What is wrong with one field."""

    pointer: str = Field(description="Into the body (`/messages/0/mobile`), or a parameter.")
    detail: str
    detail_fa: str


class ProblemBody(Model):
    """Problem details (RFC 9457) in English and Persian."""

    type: str
    status: int
    title: str
    title_fa: str
    detail: str | None = None
    detail_fa: str | None = None
    errors: list[Problems] | None = None


class Misfit(ValueError):
    """What a validator raises: the words that stand beside the field, in both languages."""

    def __init__(self, en: str, fa: str) -> None:
        self.words = Words(en, fa)
        super().__init__(en)


def _mobile(said: str) -> str:
    try:
        return mobile_of(said)
    except MobileError:
        raise Misfit(
            "is no mobile number: write 09131234567 or 989131234567",
            "شمارهٔ همراه نیست: به شکل 09131234567 یا 989131234567 بنویسید",
        ) from None


Id = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", examples=["7234567890123456"])]
"""An id in an answer."""
Number = Annotated[
    str, Field(min_length=1, max_length=20, pattern="^[0-9]+$", examples=["10000001"])
]
"""A subscription's number."""
Mobile = Annotated[
    str,
    Field(max_length=20, examples=["09131234567"]),
    AfterValidator(_mobile),
]
"""A mobile number in a request: E.164 digits afterwards."""
At = Annotated[
    datetime,
    Field(examples=["2026-09-21T14:13:20.000Z"]),
]
"""An instant of an answer: ``core.jalali.instant_of`` makes it."""


def _in_reach(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise Misfit("is out of reach: write an instant of our time", "زمان پذیرفتنی نیست")
    return at


When = Annotated[
    AwareDatetime,
    Field(description="An instant with its zone, in ISO 8601.", examples=["2026-09-21T10:30:00Z"]),
    AfterValidator(_in_reach),
]
"""An instant in a request."""
