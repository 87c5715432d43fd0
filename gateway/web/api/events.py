"""Events in: a utility's own system tells what happened; messages follow as templates say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from core.access.permissions import Permission
from core.events import Event, EventKind
from core.events.facts import EVENT_FACTS
from core.events.outside import (
    NUMBER,
    FactError,
    NoSubscriber,
    Outside,
    checked_facts,
    take_events,
)
from core.jalali import milliseconds
from gateway.web.api.call import Call
from gateway.web.api.models import Id, Mobile, Model, Nothing, Number, When
from gateway.web.api.problems import Problem, Words, Wrong, invalid, step_of
from gateway.web.api.routes import Routes

routes = Routes("events", "Events")

MOST: Final = 200
MOST_BODY: Final = 512 * 1024
_DAY_MS: Final = 86_400_000
_EARLIEST: Final = milliseconds(datetime(2000, 1, 1, tzinfo=UTC))

Value = Annotated[str, Field(max_length=500)] | int | bool | None


class Kind(Model):
    """A kind of event."""

    kind: EventKind
    facts: dict[str, str] = Field(description="Each with what it is: text, number, date …")


class Kinds(Model):
    """All there are."""

    items: list[Kind]


class Happened(Model):
    """Something that happened."""

    kind: EventKind
    key: str = Field(
        min_length=1,
        max_length=200,
        description="What the sender calls it: told again under the same key, it is the same.",
    )
    number: Number | None = Field(None, description="The subscription whose mobiles are told …")
    mobile: Mobile | None = Field(None, description="… and whom besides.")
    at: When | None = Field(None, description="When; null: now.")
    facts: dict[str, Value] = Field(
        default_factory=dict,
        max_length=50,
        description="What messages may say. Money in rial, dates and instants as ISO 8601; what "
        "is left out is not known.",
    )


class Told(Model):
    """Events of one utility."""

    utility: str | None = None
    events: list[Happened] = Field(min_length=1, max_length=MOST)


class One(Model):
    """What became of an event."""

    key: str
    id: Id
    new: bool = Field(description="false: it was told of before.")


class Taken(Model):
    """What became of each, in their order."""

    items: list[One]


@routes.route(
    "GET", "/events/kinds", Permission.EVENT_ADD, summary="The kinds of events", answers=Kinds
)
async def kinds(call: Call[Nothing, None]) -> Kinds:  # noqa: ARG001 - the same for all
    """With the facts that messages may use."""
    found = [
        Kind(kind=kind, facts={name: each.value for name, each in facts.items()})
        for kind, facts in EVENT_FACTS.items()
    ]
    return Kinds(items=found)


@routes.route(
    "POST",
    "/events",
    Permission.EVENT_ADD,
    summary="Tell what happened",
    body=Told,
    answers=Taken,
    status=202,
    action="event.add",
    example={
        "events": [
            {
                "kind": "payment_booked",
                "key": "bank-7234561",
                "number": "100001",
                "facts": {"amount": 145_000, "reference": "7234561"},
            }
        ]
    },
    most_body=MOST_BODY,
)
def tell(call: Call[Nothing, Told], connection: Any) -> Taken:
    """All of them or, where something is wrong with one, none.

    Templates make their messages of them as of our own events. They change no data: a payment
    that is to be booked is sent to `/payments`.
    """
    utility = call.utility(call.body.utility)
    wrong: list[Wrong] = []
    told = [
        each
        for place, said in enumerate(call.body.events)
        if (each := _checked(call, utility, (place, said), wrong)) is not None
    ]
    if wrong:
        raise Problem("invalid", "see errors", "errors را ببینید", wrong=wrong)
    try:
        taken = take_events(connection, call.means.ids, utility, told)
    except NoSubscriber as error:
        raise invalid(
            f"/events/{error.place}/number", str(error), "این شرکت چنین اشتراکی ندارد"
        ) from None
    new = sum(each.is_new for each in taken)
    call.note("events", utility, new=new, told=len(taken))
    return Taken(
        items=[
            One(key=said.key, id=str(each.id), new=each.is_new)
            for said, each in zip(told, taken, strict=True)
        ]
    )


def _checked(
    call: Call[Nothing, Told], utility: str, placed: tuple[int, Happened], wrong: list[Wrong]
) -> Outside | None:
    place, said = placed
    pointer = f"/events/{place}"
    at = call.now if said.at is None else milliseconds(said.at)
    if not _EARLIEST <= at <= call.now + _DAY_MS:
        words = Words("is in the future, or long ago", "در آینده یا گذشتهٔ دور است")
        wrong.append(Wrong(f"{pointer}/at", words))
    if said.number is None and said.mobile is None:
        words = Words(
            "say whom it concerns: a number or a mobile", "شماره اشتراک یا شمارهٔ همراه لازم است"
        )
        wrong.append(Wrong(f"{pointer}/number", words))
    facts = said.facts
    if said.number is not None and NUMBER in EVENT_FACTS[said.kind]:
        facts = {NUMBER: said.number, **facts}
    try:
        about = checked_facts(said.kind, facts)
    except FactError as error:
        persian = "از این نوع نیست" if error.is_known else "این رویداد چنین چیزی ندارد"
        wrong.append(Wrong(f"{pointer}/facts/{step_of(error.name)}", Words(str(error), persian)))
        return None
    event = Event(said.kind, utility, at, about, None, said.mobile)
    return Outside(said.key, event, said.number or "")
