"""What a utility's own system knows, sent as it changes: the rows of its files, one by one.

Columns, checks, stores and events are those of ``peyk import`` (docs/importing.md): what is
sent here and what is in a file come to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import Field

from core.access.permissions import Permission
from core.importing import KINDS
from core.importing.errors import RowError
from core.importing.online import Counter, Taken, take_rows
from core.registering import Registrar, Registration, register_mobiles
from core.services import ServicePaused
from core.text import normalise
from gateway.web.api.call import Call
from gateway.web.api.models import Mobile, Model, Nothing
from gateway.web.api.problems import Problem, Words, Wrong
from gateway.web.api.routes import Handler, Routes

routes = Routes("rows", "Subscribers, bills, payments, readings")

MOST_ROWS: Final = 500
MOST_BODY: Final = 512 * 1024
_LARGEST: Final = 10**15
_MOST_WRONG: Final = 50

Text = Annotated[str, Field(max_length=1000)]
Figure = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Number = Annotated[str, Field(max_length=40, description="The subscription (شماره اشتراک).")]
Date = Annotated[
    str, Field(max_length=40, description="`2026-09-21` or `1405/06/30`.", examples=["1405/06/30"])
]
Instant = Annotated[
    str,
    Field(
        max_length=40,
        description="A date, with or without a time; Tehran's where no zone is said.",
        examples=["2026-09-21T10:00:00Z"],
    ),
]


class Subscriber(Model):
    """A subscription."""

    number: Number
    code: Text | None = Field(None, description="The secret code; only its keyed hash is kept.")
    name: Text | None = None
    usage: Text | None = None
    units: Figure | None = None
    capacity: Figure | None = None
    meter_serial: Text | None = None
    meter_digits: Figure | None = None
    mobile: Annotated[list[Text], Field(max_length=20)] | None = Field(
        None, description="Registered to it; those that are there stay."
    )
    address: Text | None = None
    region: Text | None = None
    bill_id: Text | None = None
    wastewater: bool | None = None
    state: Text | None = None


class Bill(Model):
    """A bill; rows of one subscription and period are one bill. Money is rial."""

    number: Number
    period: Text
    from_date: Date | None = None
    to_date: Date | None = None
    from_reading: Figure | None = None
    to_reading: Figure | None = None
    used: Figure | None = None
    amount: Figure
    payable: Figure
    bill_id: Text | None = None
    payment_id: Text | None = None
    due_date: Date | None = None
    issued_at: Instant | None = None


class Payment(Model):
    """A payment; rows of one channel and reference are one payment."""

    number: Number
    bill_id: Text | None = None
    payment_id: Text | None = None
    amount: Figure
    paid_at: Instant
    channel: Text | None = None
    reference: Text


class Reading(Model):
    """A reading; rows of one subscription, instant and source are one reading."""

    number: Number
    reading: Figure
    read_at: Instant
    source: Text | None = None
    meter_state: Text | None = None
    old_end: Figure | None = None


class Instalment(Model):
    """An instalment of a connection fee."""

    number: Number
    plan: Text
    instalment: Figure
    amount: Figure
    due_date: Date
    paid_at: Instant | None = None
    bill_id: Text | None = None
    payment_id: Text | None = None


R = TypeVar("R", bound=Model)


class Rows(Model, Generic[R]):
    """Rows of one utility. All have the fields of the first; null empties a field."""

    utility: str | None = Field(None, description="Whose; null: the token's.")
    strict: bool = Field(default=False, description="Take nothing when any row is bad.")
    rows: list[R] = Field(min_length=1, max_length=MOST_ROWS)


class Bad(Model):
    """What is wrong with one row; it was not taken."""

    pointer: str = Field(description="`/rows/3/amount`")
    detail: str
    detail_fa: str


class Done(Model):
    """What became of the rows."""

    inserted: int
    updated: int
    unchanged: int
    bad: int = Field(description="Rows that were not taken: `errors` says why.")
    errors: list[Bad]


class Contact(Model):
    """A mobile that may act for a subscription without its code, or no more."""

    number: Number
    mobile: Mobile
    registered: bool = True


class Contacts(Model):
    """Mobiles of one utility's subscriptions."""

    utility: str | None = None
    rows: list[Contact] = Field(min_length=1, max_length=MOST_ROWS)


class Put(Model):
    """What became of them; the rest were so already."""

    added: int
    removed: int
    errors: list[Bad]


def _declare(
    kind: str, needs: Permission, row: type[Model], example: dict[str, Any]
) -> Callable[[Handler], Handler]:
    return routes.route(
        "POST",
        f"/{kind}",
        needs,
        summary=f"Put {kind}",
        body=Rows[row],  # type: ignore[valid-type]
        answers=Done,
        action=f"{kind}.put",
        example={"rows": [example]},
        problems=("conflict",),
        most_body=MOST_BODY,
    )


@_declare(
    "subscribers",
    Permission.SUBSCRIBER_EDIT,
    Subscriber,
    {"number": "100001", "name": "مریم کریمی", "mobile": ["09131234567"], "region": "شهر بابک"},
)
def subscribers(call: Call[Nothing, Rows[Subscriber]], connection: Any) -> Done:
    """New ones are made, those that are there are changed; by utility and number."""
    return _take(call, connection, "subscribers")


@_declare(
    "bills",
    Permission.BILL_EDIT,
    Bill,
    {
        "number": "100001",
        "period": "1405/03",
        "amount": 145_000,
        "payable": 145_000,
        "issued_at": "2026-09-20",
    },
)
def bills(call: Call[Nothing, Rows[Bill]], connection: Any) -> Done:
    """By subscription and period. One that is new and recent is told of, as templates say."""
    return _take(call, connection, "bills")


@_declare(
    "payments",
    Permission.BILL_EDIT,
    Payment,
    {
        "number": "100001",
        "amount": 145_000,
        "paid_at": "2026-09-20T08:30:00Z",
        "channel": "bank",
        "reference": "7234561",
    },
)
def payments(call: Call[Nothing, Rows[Payment]], connection: Any) -> Done:
    """By utility, channel and reference. What came through our own page is booked once."""
    return _take(call, connection, "payments")


@_declare(
    "readings",
    Permission.READING_REGISTER,
    Reading,
    {"number": "100001", "reading": 1234, "read_at": "2026-09-20", "source": "reader"},
)
def readings(call: Call[Nothing, Rows[Reading]], connection: Any) -> Done:
    """By subscription, instant and source; what staff have decided about one stays."""
    return _take(call, connection, "readings")


@_declare(
    "instalments",
    Permission.BILL_EDIT,
    Instalment,
    {
        "number": "100001",
        "plan": "water",
        "instalment": 1,
        "amount": 5_000_000,
        "due_date": "1405/09/01",
    },
)
def instalments(call: Call[Nothing, Rows[Instalment]], connection: Any) -> Done:
    """By subscription, plan and which one it is; one that is paid stays paid."""
    return _take(call, connection, "instalments")


@routes.route(
    "POST",
    "/contacts",
    Permission.SUBSCRIBER_EDIT,
    summary="Register mobiles, or take them off",
    body=Contacts,
    answers=Put,
    action="contacts.put",
    example={"rows": [{"number": "100001", "mobile": "09131234567"}]},
    most_body=MOST_BODY,
)
def contacts(call: Call[Nothing, Contacts], connection: Any) -> Put:
    """Whoever registers a mobile here vouches for it: its owner is not asked."""
    utility = call.utility(call.body.utility)
    registrar = Registrar(call.means.ids, utility, "api", call.now)
    wanted = [
        Registration(normalise(each.number).strip(), each.mobile, each.registered)
        for each in call.body.rows
    ]
    done = register_mobiles(connection, registrar, wanted)
    numbers = sorted({each.number for each in wanted})
    call.note("contacts", utility, added=done.added, removed=done.removed, numbers=numbers)
    errors = [
        Bad(
            pointer=f"/rows/{place}/number",
            detail=f"there is no subscriber {wanted[place].number}",
            detail_fa="چنین اشتراکی نیست",
        )
        for place in done.unknown
    ]
    return Put(added=done.added, removed=done.removed, errors=errors)


def _take(call: Call[Nothing, Rows[Any]], connection: Any, name: str) -> Done:
    body, kind = call.body, KINDS[name]
    utility = call.utility(body.utility)
    counter = Counter(call.means.keys, call.means.ids, utility, call.now)
    said = [row.model_dump(exclude_unset=True) for row in body.rows]
    try:
        done = take_rows(connection, counter, kind, said, strict=body.strict)
    except ServicePaused as error:
        raise Problem("conflict", str(error), "ورود داده‌ها متوقف شده است") from None
    titles = {column.name: column.persian[0] for column in kind.columns}
    if not done.is_taken:
        raise _all_bad(done, titles)
    call.note(
        name, utility, inserted=done.inserted, updated=done.updated, bad=done.bad, rows=len(said)
    )
    errors = [
        Bad(pointer=_pointer(each), detail=each.reason, detail_fa=_persian(each, titles))
        for each in done.errors
    ]
    return Done(
        inserted=done.inserted,
        updated=done.updated,
        unchanged=done.unchanged,
        bad=done.bad,
        errors=errors,
    )


def _all_bad(done: Taken, titles: dict[str, str]) -> Problem:
    return Problem(
        "invalid",
        f"{done.bad} rows are bad: nothing was taken",
        f"{done.bad} سطر نادرست است: چیزی پذیرفته نشد",
        wrong=[
            Wrong(_pointer(each), Words(each.reason, _persian(each, titles)))
            for each in done.errors[:_MOST_WRONG]
        ],
    )


def _pointer(error: RowError) -> str:
    return f"/rows/{error.line}" + (f"/{error.column}" if error.column else "")


def _persian(error: RowError, titles: dict[str, str]) -> str:
    if error.column not in titles:
        return "این سطر نادرست است"
    return f"«{titles[error.column]}» نادرست است یا نیامده است"
