"""A utility that takes requests: three subscriptions, a few kinds, and a way to text it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from core.calls import Argument, Call, Outcome
from core.database import Database
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.requests.counter import Counter
from core.requests.kinds import (
    About,
    Automatic,
    Door,
    FeeKind,
    FieldType,
    RequestField,
    RequestKind,
    Services,
    VoucherTerms,
    Words,
)
from core.requests.states import RequestState
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bills, contacts, events
from core.tables import subscribers as subscriber_rows
from core.terms import Terms

NOW = 1_790_000_000_000
MINUTE = 60_000
DAY = 86_400_000
UTILITY = "lorestan-water"
MINE = "989130000001"
TWO_HOUSES = "989130000002"
STRANGER = "989139999999"
TEXT = frozenset({Door.TEXT, Door.COUNTER})

KINDS = (
    RequestKind("complaint", "شکایت", doors=TEXT, about=About.OPTIONAL, words=Words.NEEDED),
    RequestKind("bill_review", "بررسی صورتحساب", doors=TEXT, words=Words.NEEDED),
    RequestKind(
        "bill_not_received",
        "عدم دریافت قبض",
        doors=TEXT,
        words=Words.OPTIONAL,
        automatic=frozenset({Automatic.TELL_BILL}),
    ),
    RequestKind(
        "meter_number",
        "اعلام شماره کنتور",
        doors=TEXT,
        words=Words.OPTIONAL,
        fields=(RequestField("serial", "شماره کنتور", FieldType.METER_SERIAL),),
        automatic=frozenset({Automatic.COMPARE_SERIAL}),
    ),
    RequestKind(
        "meter_test",
        "آزمایش کنتور",
        doors=TEXT,
        fee=FeeKind.ANNOUNCED,
        words=Words.OPTIONAL,
        states=tuple(RequestState),
    ),
    RequestKind(
        "new_card",
        "کارت اشتراک",
        doors=TEXT,
        fee=FeeKind.FIXED,
        fee_amount=50_000,
        states=tuple(RequestState),
    ),
    RequestKind(
        "water_connection",
        "واگذاری انشعاب آب",
        doors=frozenset({Door.PORTAL, Door.COUNTER}),
        about=About.NONE,
        fields=(
            RequestField("national_code", "کد ملی", FieldType.NATIONAL_CODE),
            RequestField("mobile", "شماره همراه", FieldType.MOBILE),
            RequestField("neighbour", "شماره پرونده همسایه", FieldType.SUBSCRIPTION),
            RequestField("units", "تعداد واحد", FieldType.NUMBER, required=False),
        ),
        fee=FeeKind.COMPUTED,
        states=tuple(RequestState),
    ),
    RequestKind("mid_bill", "صورتحساب میان دوره", answered_by=("mid_bill",)),
)
SERVICES = Services(
    {kind.key: kind for kind in KINDS},
    VoucherTerms("IR1200", "066", "1"),
    {"registered": "ثبت شده", "done": "انجام شده"},
    timedelta(days=1),
)
TERMS = Terms(services=SERVICES)

Ask = Callable[..., Outcome]


@pytest.fixture
def ids() -> IdMaker:
    """Ids as a daemon makes them."""
    return IdMaker(0, lambda: NOW)


@pytest.fixture
def utility(database: Database, keys: Keys) -> Database:
    """10000001 has a mobile and owes 200,000 rial; 10000003 has neither."""
    database.transact("fill", _fill, keys)
    return database


def _fill(connection: Connection, keys: Keys) -> None:
    for number in (1, 2, 3):
        text = f"1000000{number}"
        connection.execute(
            insert(subscriber_rows).values(
                id=number,
                utility=UTILITY,
                number=text,
                name="علی محمدی",
                usage="home",
                meter_serial=f"0056{number}",
                code_hash=keys.code_hash(UTILITY, text, "4321"),
                changed_at=0,
            )
        )
    for at, (mobile, key) in enumerate(((MINE, 1), (TWO_HOUSES, 1), (TWO_HOUSES, 2))):
        connection.execute(
            insert(contacts).values(
                utility=UTILITY, mobile=mobile, subscriber_id=key, source="import", created_at=at
            )
        )
    connection.execute(
        insert(bills).values(
            subscriber_id=1,
            period="1405/2",
            amount=200_000,
            payable=200_000,
            bill_id="2050327604613",
            payment_id="1070189",
            due_date=date(2026, 10, 1),
            issued_at=NOW - 30 * DAY,
        )
    )


@pytest.fixture
def ask(utility: Database, keys: Keys, ids: IdMaker) -> Ask:
    """Run one operation as a batch of its own, and commit it; ``off`` is the argument mobile."""

    def run(operation: str, mobile: str = STRANGER, at: int = NOW, **said: str) -> Outcome:
        if "off" in said:
            said["mobile"] = said.pop("off")
        call = Call(operation, {Argument(name): value for name, value in said.items()})
        return together(utility, keys, ids, (mobile, at, call))[0]

    return run


def together(
    database: Database, keys: Keys, ids: IdMaker, *said: tuple[str, int, Call]
) -> list[Outcome]:
    """Run calls of (mobile, instant) in one batch."""

    def work(connection: Connection) -> list[Outcome]:
        wanted = [
            Wanted(
                Asker(UTILITY, mobile, at, TERMS, "sms", 99),
                call,
                REGISTRY[call.operation].needs,
            )
            for mobile, at, call in said
        ]
        facts = Facts.load(connection, ids, wanted)
        found = [REGISTRY[call.operation](keys, asker, call, facts) for asker, call, _ in wanted]
        facts.store(connection)
        return found

    outcomes = database.transact("batch", work)
    for outcome in outcomes:
        # Whatever comes of it must have been declared, or no reply could be written for it.
        assert set(outcome.facts) == REGISTRY[outcome.operation].outcomes[outcome.kind]
    return outcomes


@pytest.fixture
def counter(ids: IdMaker) -> Counter:
    """A counter office's work, now."""
    return Counter(UTILITY, SERVICES, ids, "office 12", NOW)


def rows(database: Database, table: Table, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of all rows of a table, by id."""
    query = select(*(table.c[name] for name in names)).order_by(table.c.id)
    return database.transact("rows", lambda c: [tuple(row) for row in c.execute(query)])


def happened(database: Database) -> list[tuple[str, int | None, str | None, dict[str, Any]]]:
    """All events: kind, subscriber, mobile, facts."""
    found = rows(database, events, "kind", "subscriber_id", "mobile", "about")
    return [(kind, key, mobile, json.loads(about)) for kind, key, mobile, about in found]


def shown(outcome: Outcome, *names: str) -> tuple[Any, ...]:
    """The outcome's kind and some of its facts."""
    return (outcome.kind, *(outcome.facts[name] for name in names))
