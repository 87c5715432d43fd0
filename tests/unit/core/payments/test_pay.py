"""The operation ``pay``: what may be paid, for how much, and with which link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select

from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.database import Database
from core.facts import Facts, Wanted
from core.identifiers import make_payment_id
from core.ids import IdMaker
from core.operations import REGISTRY
from core.payments.doubts import to_reconcile
from core.payments.orders import LINK_LENGTH, LINK_LETTERS
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bills, contacts, instalments, orders, payments, requests
from core.tables import subscribers as subscriber_rows
from core.terms import PaymentTerms, Terms

NOW = 1_790_000_000_000
MINUTE = 60_000
UTILITY = "kerman-water"
IDS = IdMaker(0, lambda: NOW)
MINE = "989130000001"
STRANGER = "989139999999"
LINE = "100034122"
BILL_ID = "2050327604613"
TERMS = Terms(
    payments=PaymentTerms(link="https://pay.example.ir/p/", dial="*1522*{bill_id}*{payment_id}#")
)

Ask = Callable[..., Outcome]


def pay_id(amount: int) -> str:
    """The payment ID of so many rial."""
    return make_payment_id(BILL_ID, amount)


@pytest.fixture
def utility(database: Database, keys: Keys) -> Database:
    """A subscription that owes 200,000 rial, with a fee and an instalment besides."""

    def fill(connection: Connection) -> None:
        for number in (1, 2):
            text = f"1000000{number}"
            connection.execute(
                insert(subscriber_rows).values(
                    id=number,
                    utility=UTILITY,
                    number=text,
                    code_hash=keys.code_hash(UTILITY, text, "4321"),
                    name="مریم کرمانی",
                    bill_id=BILL_ID if number == 1 else None,
                    changed_at=0,
                )
            )
        connection.execute(
            insert(contacts).values(
                utility=UTILITY, mobile=MINE, subscriber_id=1, source="import", created_at=0
            )
        )
        connection.execute(insert(bills), [bill("1405/1", 90_400, 90), bill("1405/2", 200_400, 30)])
        connection.execute(insert(instalments).values(instalment()))
        connection.execute(insert(requests).values(request()))

    database.transact("fill", fill)
    return database


def bill(period: str, payable: int, days_ago: int) -> dict[str, Any]:
    """A bill of subscriber 1."""
    return {
        "subscriber_id": 1,
        "period": period,
        "amount": payable,
        "payable": payable,
        "bill_id": BILL_ID,
        "payment_id": pay_id(payable),
        "due_date": date(2026, 10, 1),
        "issued_at": NOW - days_ago * 86_400_000,
    }


def instalment() -> dict[str, Any]:
    """One instalment of a connection fee, with a voucher of its own."""
    return {
        "id": 7,
        "subscriber_id": 1,
        "plan": "water",
        "number": 1,
        "amount": 3_000_000,
        "due_date": date(2026, 11, 1),
        "bill_id": BILL_ID,
        "payment_id": pay_id(3_000_000),
    }


def request() -> dict[str, Any]:
    """A request whose fee has a voucher; nobody's subscription yet."""
    return {
        "id": 8,
        "utility": UTILITY,
        "tracking": "1234567",
        "kind": "water_connection",
        "state": "voucher_issued",
        "fields": "{}",
        "source": "counter",
        "fee": 5_000_000,
        "bill_id": BILL_ID,
        "payment_id": pay_id(5_000_000),
        "created_at": NOW,
        "changed_at": NOW,
    }


@pytest.fixture
def ask(utility: Database, keys: Keys) -> Ask:
    """Run ``pay`` for several mobiles as one batch does; the outcomes in their order."""

    def run(mobile: str = STRANGER, at: int = NOW, terms: Terms = TERMS, **said: str) -> Outcome:
        return batch(utility, keys, [(mobile, said)], at, terms)[0]

    return run


def batch(
    database: Database,
    keys: Keys,
    calls: list[tuple[str, dict[str, str]]],
    at: int = NOW,
    terms: Terms = TERMS,
) -> list[Outcome]:
    """Run these calls of ``pay`` in one transaction."""
    made = REGISTRY["pay"]
    wanted = [
        Wanted(
            Asker(UTILITY, mobile, at, terms, "sms", 99, LINE),
            Call("pay", {Argument(name): value for name, value in said.items()}),
            made.needs,
        )
        for mobile, said in calls
    ]

    def work(connection: Connection) -> list[Outcome]:
        facts = Facts.load(connection, IDS, wanted)
        outcomes = [made(keys, asker, call, facts) for asker, call, _needs in wanted]
        facts.store(connection)
        return outcomes

    outcomes = database.transact("pay", work)
    for outcome in outcomes:
        assert set(outcome.facts) == made.outcomes[outcome.kind]
    return outcomes


def stored(database: Database) -> list[Any]:
    """Every order."""
    return database.transact("orders", lambda c: list(c.execute(select(orders))))


def paid(database: Database, amount: int, days_ago: int = 5) -> None:
    """Pay something at a bank."""
    values = {
        "utility": UTILITY,
        "subscriber_id": 1,
        "amount": amount,
        "paid_at": NOW - days_ago * 86_400_000,
        "channel": "bank",
        "reference": str(amount),
    }
    database.transact("paid", lambda c: c.execute(insert(payments).values(values)))


def test_a_pair_is_paid_by_whoever_has_it(ask: Ask, utility: Database) -> None:
    """As at a bank: no code, no registered mobile; and the name of the payer is not asked."""
    outcome = ask(bill_id=BILL_ID, payment_id=pay_id(200_400))
    facts = outcome.facts
    assert outcome.kind == DONE
    assert (facts["amount"], facts["bill_id"], facts["payment_id"]) == (
        200_000,
        BILL_ID,
        pay_id(200_000),
    )
    assert facts["dial"] == f"*1522*{BILL_ID}*{pay_id(200_000)}#"
    order = stored(utility)[0]
    assert facts["link"] == f"https://pay.example.ir/p/{order.link}"
    assert (order.amount, order.state, order.mobile, order.line, order.subscriber_id) == (
        200_000,
        "created",
        STRANGER,
        LINE,
        1,
    )


def test_zeros_before_a_payment_id_change_nothing(ask: Ask) -> None:
    """Some bills print them padded to thirteen digits."""
    assert ask(bill_id=BILL_ID, payment_id=pay_id(200_400).zfill(13)).kind == DONE


def test_a_subscription_is_paid_by_whoever_has_a_right_to_it(ask: Ask) -> None:
    """The code or a registered mobile; the debt of a number alone is nobody else's business."""
    assert ask(number="10000001", code="4321").facts["amount"] == 200_000
    assert ask(MINE).facts["amount"] == 200_000
    assert ask(number="10000001").kind == Refusal.CODE_NEEDED
    assert ask(number="10000001", code="1111").kind == Refusal.NOT_RECOGNISED
    assert ask(bill_id=BILL_ID).kind == Refusal.CODE_NEEDED


def test_a_pair_that_is_not_ours_is_unknown(ask: Ask, utility: Database) -> None:
    """Another company's bill, an amount that was never billed, another utility's subscriber."""
    assert ask(bill_id="9403272004129", payment_id="95570163").kind == Refusal.UNKNOWN_BILL
    assert ask(bill_id=BILL_ID, payment_id=pay_id(77_000)).kind == Refusal.UNKNOWN_BILL
    utility.transact(
        "move", lambda c: c.execute(subscriber_rows.update().values(utility="lorestan-water"))
    )
    assert ask(bill_id=BILL_ID, payment_id=pay_id(200_400)).kind == Refusal.UNKNOWN_BILL
    assert stored(utility) == []


def test_nobody_pays_what_is_paid(ask: Ask, utility: Database) -> None:
    """Neither by pair nor by subscription; less than a thousand rial waits for the next bill."""
    paid(utility, 199_500)
    assert ask(bill_id=BILL_ID, payment_id=pay_id(200_400)).kind == Refusal.NOTHING_TO_PAY
    assert ask(MINE).kind == Refusal.NOTHING_TO_PAY
    assert ask(number="10000002", code="4321").kind == Refusal.NO_BILL
    assert stored(utility) == []


def test_what_is_left_of_a_bill_has_a_payment_id_of_its_own(ask: Ask, utility: Database) -> None:
    """The payment ID carries the amount, so a bank would take the old one for all of it."""
    paid(utility, 150_000)
    facts = ask(bill_id=BILL_ID, payment_id=pay_id(200_400)).facts
    assert (facts["amount"], facts["payment_id"]) == (50_000, pay_id(50_000))


def test_a_pair_goes_by_its_bill_though_the_file_has_no_bill_id(
    ask: Ask, utility: Database
) -> None:
    """The subscription is not found by the bill ID then, and nobody pays more than it owes."""
    paid(utility, 150_000)
    utility.transact("forget", lambda c: c.execute(subscriber_rows.update().values(bill_id=None)))
    assert ask(bill_id=BILL_ID, payment_id=pay_id(200_400)).facts["amount"] == 50_000


def test_an_old_bill_is_paid_for_its_own_amount(ask: Ask) -> None:
    """What is newer is not slipped in."""
    assert ask(bill_id=BILL_ID, payment_id=pay_id(90_400)).facts["amount"] == 90_000


def test_vouchers_of_requests_and_instalments_are_paid_in_full(ask: Ask, utility: Database) -> None:
    """Seed 000, annex 3: حق انشعاب; an order says what it is for."""
    assert ask(bill_id=BILL_ID, payment_id=pay_id(3_000_000)).facts["amount"] == 3_000_000
    assert ask(bill_id=BILL_ID, payment_id=pay_id(5_000_000)).facts["amount"] == 5_000_000
    assert {(row.subscriber_id, row.instalment_id, row.request_id) for row in stored(utility)} == {
        (1, 7, None),
        (None, None, 8),
    }
    for table in (instalments, requests):
        paid_now = table.update().values(paid_at=1)
        utility.transact("paid", Connection.execute, paid_now)
    assert ask(bill_id=BILL_ID, payment_id=pay_id(3_000_000)).kind == Refusal.NOTHING_TO_PAY
    assert ask(bill_id=BILL_ID, payment_id=pay_id(5_000_000)).kind == Refusal.NOTHING_TO_PAY


def test_asking_again_gives_the_same_link(ask: Ask, utility: Database) -> None:
    """Within minutes, for the same mobile and amount: a text sent twice is one order."""
    first = ask(MINE).facts["link"]
    assert ask(MINE, at=NOW + 10 * MINUTE).facts["link"] == first
    pair = ask(MINE, at=NOW + MINUTE, bill_id=BILL_ID, payment_id=pay_id(200_400))
    assert pair.facts["link"] == first
    assert ask(STRANGER, number="10000001", code="4321").facts["link"] != first
    assert ask(MINE, at=NOW + 16 * MINUTE).facts["link"] != first
    utility.transact("fail", lambda c: c.execute(orders.update().values(state="failed")))
    assert ask(MINE, at=NOW + 17 * MINUTE).facts["link"] != first


def test_one_batch_gives_one_link_and_its_statements_do_not_grow(
    utility: Database, keys: Keys, count_statements: Any
) -> None:
    """Two equal texts in a batch are one order; 60 calls cost as many statements as 3."""
    three: list[tuple[str, dict[str, str]]] = [
        (MINE, {}),
        (STRANGER, {"bill_id": BILL_ID, "payment_id": pay_id(200_400)}),
        (STRANGER, {"number": "10000001", "code": "4321"}),
    ]
    with count_statements(utility) as few:
        batch(utility, keys, three, NOW - 86_400_000)
    with count_statements(utility) as many:
        outcomes = batch(utility, keys, three * 20)
    assert many.total == few.total
    assert len({outcome.facts["link"] for outcome in outcomes}) == 2


def test_without_a_provider_there_is_still_what_to_dial(ask: Ask, utility: Database) -> None:
    """A utility that takes no payments online tells the pair and the code, and orders nothing."""
    facts = ask(MINE, terms=Terms(payments=PaymentTerms(dial="*1522#"))).facts
    assert (facts["link"], facts["dial"]) == ("", "*1522#")
    assert ask(MINE, terms=Terms()).facts["dial"] == ""
    assert stored(utility) == []


def test_links_are_of_letters_that_are_told_apart(ask: Ask) -> None:
    """65 random bits in a text of 70 signs."""
    link = str(ask(MINE).facts["link"]).rpartition("/")[2]
    assert len(link) == LINK_LENGTH
    assert set(link) <= set(LINK_LETTERS)
    assert len(set(LINK_LETTERS)) == 32


def test_nothing_that_grows_is_read_from_end_to_end(sqlite_database: Database, keys: Keys) -> None:
    """By the plan of every statement: bills, vouchers and orders are looked up."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(sqlite_database.engine, "before_cursor_execute", note)
    batch(sqlite_database, keys, [(MINE, {"bill_id": BILL_ID, "payment_id": pay_id(1000)})])
    sqlite_database.read("due", to_reconcile, NOW)
    event.remove(sqlite_database.engine, "before_cursor_execute", note)

    def explain(connection: Connection, statement: str, parameters: Any) -> list[list[str]]:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[3].split() for row in rows]

    plans: list[list[str]] = []
    for statement, parameters in seen:
        if statement.startswith("SELECT"):
            plans += sqlite_database.read("plan", explain, statement, parameters)
    growing = {"orders", "bills", "requests", "instalments", "payments", "subscribers"}
    scans = [plan for plan in plans if plan[0] == "SCAN" and plan[1] in growing]
    assert plans
    assert scans == []
