"""What is said of messages out: how they are asked for, and how they are shown."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from core.state_groups import CHOICES, Group
from core.text import is_seen
from gateway.web.api.models import At, Id, Misfit, Mobile, Model, Number, Paging, When

MOST: Final = 200
"""Messages of one request: a campaign is for more."""
LONGEST: Final = 1000


class One(Model):
    """One message."""

    mobile: Mobile | None = Field(
        default=None, description="Or, without it, the first that `subscription` has registered."
    )
    subscription: Number | None = Field(
        default=None, description="The number of the subscription that it is about."
    )
    text: str | None = Field(
        default=None, min_length=1, max_length=LONGEST, description="Without a template."
    )
    facts: dict[str, str | int | bool] | None = Field(
        default=None,
        max_length=100,
        description="What the template's words are filled with; dates and instants in ISO 8601.",
    )

    @model_validator(mode="after")
    def _is_for_somebody(self) -> Self:
        if self.mobile is None and self.subscription is None:
            raise Misfit("mobile or subscription is needed", "mobile یا subscription لازم است")
        return self

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str | None) -> str | None:
        if text is not None and not is_seen(text):
            raise Misfit("nothing of it can be seen", "چیزی در آن دیده نمی‌شود")
        return text


class Send(Model):
    """Messages to be sent."""

    utility: str | None = Field(
        default=None, max_length=60, description="Where the token is for several."
    )
    line: str | None = Field(
        default=None,
        max_length=20,
        description="What texts go out from; without it the utility's first line.",
    )
    template: str | None = Field(
        default=None, max_length=60, description="Its words, line, hours and attempts."
    )
    topic: str = Field(
        default="notices",
        min_length=1,
        max_length=40,
        description="Of texts: who has opted out of it gets none.",
    )
    required: bool = Field(
        default=False,
        description="Of texts: they go to who has opted out too, as what was asked for must.",
    )
    messages: list[One] = Field(min_length=1, max_length=MOST)


class Taken(Model):
    """What became of one message."""

    id: Id | None = Field(description="Null where there is no message.")
    state: str = Field(
        description="`pending`; `suppressed`: its receiver wants none; `unreachable`: the "
        "subscription has no mobile."
    )
    parts: int


class Sent(Model):
    """What became of each, in the order of the request."""

    messages: list[Taken]


class Part(Model):
    """One part of a message on the air."""

    state: str
    attempts: int
    changed_at: At
    code: int | None = Field(description="The operator's last status.")
    error: str | None = Field(description="The error of its receipt.")


class Shown(Model):
    """A message and what became of it."""

    id: Id
    state: Group
    is_final: bool = Field(description="Whether nothing more will become of it by itself.")
    created_at: At
    changed_at: At
    expires_at: At | None
    mobile: str
    line: str
    utility: str | None
    subscription: str | None
    template: str | None
    campaign: Id | None
    answers: Id | None = Field(description="The message that it answers.")
    parts: list[Part]


def _ids(said: str) -> str:
    if any(int(each) >= 2**63 for each in said.split(",")):
        raise Misfit("has an id that is too large", "شناسه‌ای بیش از اندازه بزرگ دارد")
    return said


class Search(Paging):
    """Which messages."""

    ids: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{1,19}(,[0-9]{1,19}){0,99}$",
            description="Only these, up to 100, with commas between; no page follows.",
        ),
        AfterValidator(lambda said: said if said is None else _ids(said)),
    ] = None
    mobile: Mobile | None = None
    subscription: Number | None = None
    line: str | None = Field(default=None, max_length=20)
    template: str | None = Field(default=None, max_length=60)
    campaign: Annotated[str | None, Field(pattern="^[0-9]{1,18}$")] = None
    state: str | None = Field(
        default=None, max_length=20, description=f"One of {', '.join(CHOICES)}."
    )
    since: When | None = Field(
        default=None,
        description="Without it, a mobile, a subscription or a campaign: the last 31 days.",
    )
    until: When | None = None
