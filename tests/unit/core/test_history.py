"""What was billed, used and paid, and what is owed, as operations tell it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from core.bills import LastBill
from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.database import Database
from core.facts import Facts, Wanted
from core.history import MOST_ROWS
from core.ids import IdMaker
from core.operations import REGISTRY
from core.policy import Policy
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bills, contacts, corrections, instalments, payments
from core.tables import subscribers as subscriber_rows
from core.terms import Terms
from tests.conftest import CountStatements

NOW = 1_790_000_000_000
"""30 Shahrivar 1405."""
DAY = 86_400_000
UTILITY = "kerman-water"
IDS = IdMaker(0, lambda: NOW)
MINE = "989130000001"
STRANGER = "989139999999"
BILL_ID = "2050327604613"

Ask = Callable[..., Outcome]
Put = Callable[..., None]


@pytest.fixture
def utility(database: Database, keys: Keys) -> Database:
    """Subscriptions 10000001, of the mobile MINE, and 10000002; both with the code 4321."""

    def fill(connection: Connection) -> None:
        for number in (1, 2):
            text = f"1000000{number}"
            connection.execute(
                insert(subscriber_rows).values(
                    id=number,
                    utility=UTILITY,
                    number=text,
                    code_hash=keys.code_hash(UTILITY, text, "4321"),
                    name="علی محمدی",
                    region="ماهان",
                    bill_id=BILL_ID if number == 1 else None,
                    changed_at=0,
                )
            )
        row = {"utility": UTILITY, "mobile": MINE, "subscriber_id": 1, "source": "import"}
        connection.execute(insert(contacts).values(**row, created_at=0))

    database.transact("fill", fill)
    return database


@pytest.fixture
def put(utility: Database) -> Put:
    """Put rows into a table, of subscription 1 unless they say whose."""

    def run(table: Any, *rows: dict[str, Any]) -> None:
        def work(connection: Connection) -> None:
            for row in rows:
                connection.execute(insert(table).values({"subscriber_id": 1, **row}))

        utility.transact("put", work)

    return run


@pytest.fixture
def ask(utility: Database, keys: Keys) -> Ask:
    """Run one operation as one batch does."""

    def run(operation: str, mobile: str = MINE, at: int = NOW, **said: str) -> Outcome:
        asker = Asker(UTILITY, mobile, at, Terms(), "sms", 99)
        call = Call(operation, {Argument(name): value for name, value in said.items()})

        def work(connection: Connection) -> Outcome:
            made = REGISTRY[operation]
            facts = Facts.load(connection, IDS, [Wanted(asker, call, made.needs)])
            outcome = made(keys, asker, call, facts)
            facts.store(connection)
            return outcome

        outcome = utility.transact("ask", work)
        assert set(outcome.facts) == REGISTRY[operation].outcomes[outcome.kind]
        return outcome

    return run


def bill(period: int, days_ago: int, **more: Any) -> dict[str, Any]:
    """A bill of 40 units, 100,000 rial, that nothing was owed before."""
    return {
        "period": f"1405/{period:02}",
        "from_date": date(2026, 3, 21),
        "to_date": date(2026, 5, 22),
        "from_reading": 1000,
        "to_reading": 1040,
        "amount": 100_000,
        "payable": 100_000,
        "bill_id": BILL_ID,
        "payment_id": "1070189",
        "due_date": date(2026, 10, 1),
        "issued_at": NOW - days_ago * DAY,
        **more,
    }


def payment(amount: int, days_ago: int, **more: Any) -> dict[str, Any]:
    """A payment through a bank."""
    return {
        "utility": UTILITY,
        "amount": amount,
        "paid_at": NOW - days_ago * DAY,
        "channel": "bank",
        "reference": f"{amount}-{days_ago}-{more}",
        **more,
    }


def instalment(plan: str, number: int, due: date, **more: Any) -> dict[str, Any]:
    """An instalment of a million rial."""
    return {"plan": plan, "number": number, "amount": 1_000_000, "due_date": due, **more}


def rows(outcome: Outcome, name: str) -> list[Any]:
    """One column of the rows."""
    listed = outcome.facts["rows"]
    assert isinstance(listed, tuple)
    return [row[name] for row in listed]


# --- what is owed ---------------------------------------------------------------------


def test_payments_and_corrections_since_the_newest_bill_count_against_it(
    ask: Ask, put: Put
) -> None:
    """Those before it are in its payable; another's are not this one's."""
    put(bills, bill(1, 60, payable=900_000), bill(2, 20, payable=500_000))
    put(payments, payment(70_000, 30), payment(80_000, 10), payment(60_000, 5, subscriber_id=2))
    row = {"reason": "نشت", "reference": "1"}
    put(corrections, {**row, "amount": 5_000, "at": NOW - 30 * DAY})
    put(corrections, {**row, "amount": 20_000, "at": NOW - DAY, "reference": "2"})
    assert ask("balance").facts["debt"] == 400_000


def test_a_payment_of_an_instalment_is_not_one_of_the_bill(ask: Ask, put: Put) -> None:
    """Its bill ID and payment ID tell whose it is."""
    put(bills, bill(1, 20))
    put(instalments, instalment("water", 1, date(2026, 9, 1), bill_id="1117753200140",
                                payment_id="12070160", paid_at=NOW))  # fmt: skip
    put(payments, payment(1_000_000, 3, bill_id="1117753200140", payment_id="12070160"))
    assert ask("balance").facts["debt"] == 100_000


def test_instalments_whose_day_has_come_are_named_beside_the_debt(ask: Ask, put: Put) -> None:
    """Not in it, and neither the paid ones nor those of later days: today is Tehran's."""
    put(bills, bill(1, 20))
    put(
        instalments,
        instalment("water", 1, date(2026, 8, 1), paid_at=NOW),
        instalment("water", 2, date(2026, 9, 1)),
        instalment("wastewater", 1, date(2026, 9, 21)),
        instalment("wastewater", 2, date(2026, 9, 22)),
    )
    facts = ask("balance").facts
    assert (facts["debt"], facts["instalments_due"]) == (100_000, 2_000_000)
    after_midnight = NOW + 7 * 3_600_000
    assert ask("balance", at=after_midnight).facts["instalments_due"] == 3_000_000


def test_instalments_are_told_before_the_first_bill(ask: Ask, put: Put) -> None:
    """A new connection owes its fee though no water was billed."""
    put(instalments, instalment("water", 1, date(2026, 9, 1)))
    facts = ask("balance").facts
    assert (facts["debt"], facts["instalments_due"], facts["due"]) == (0, 1_000_000, "")


def test_a_debt_of_earlier_bills_is_to_be_paid_at_once(ask: Ask, put: Put) -> None:
    """Its deadline has passed already; a rest below a thousand is carried and is no debt."""
    put(bills, bill(1, 20, payable=100_999))
    assert ask("balance").facts["due"] == date(2026, 10, 1)
    put(bills, bill(2, 10, payable=101_000))
    assert ask("balance").facts["due"] == ""


# --- the last bill and payment --------------------------------------------------------


def test_the_last_bill_says_what_a_printed_one_does(ask: Ask, put: Put) -> None:
    """Every field of DOMAIN 5."""
    put(bills, bill(1, 60, payable=7), bill(2, 20))
    assert dict(ask("last_bill").facts) == {
        "number": "10000001",
        "name": "علی محمدی",
        "region": "ماهان",
        "period": "1405/02",
        "from_date": date(2026, 3, 21),
        "to_date": date(2026, 5, 22),
        "from_reading": 1000,
        "to_reading": 1040,
        "used": 40,
        "amount": 100_000,
        "payable": 100_000,
        "bill_id": BILL_ID,
        "payment_id": "1070189",
        "due": date(2026, 10, 1),
        "debt": 100_000,
    }


def test_a_bill_that_is_paid_brings_no_payment_id(ask: Ask, put: Put) -> None:
    """Nor a deadline: nobody shall pay it twice."""
    put(bills, bill(1, 20))
    put(payments, payment(100_000, 3))
    facts = ask("last_bill").facts
    assert (facts["payable"], facts["debt"], facts["payment_id"], facts["due"]) == (
        100_000,
        0,
        "",
        "",
    )


def test_a_bill_with_nothing_but_amounts_is_told_all_the_same(ask: Ask, put: Put) -> None:
    """What an imported bill may lack is empty, not zero."""
    empty = dict.fromkeys(
        ("from_date", "to_date", "from_reading", "to_reading", "due_date", "bill_id", "payment_id")
    )
    put(bills, bill(1, 20, **empty))
    facts = ask("last_bill").facts
    assert {facts[name] for name in ("from_date", "to_reading", "used", "due", "bill_id")} == {""}


def test_the_last_payment_comes_with_what_is_owed_now(ask: Ask, put: Put) -> None:
    """The newest, however the rows came in."""
    put(bills, bill(1, 20))
    put(payments, payment(30_000, 3), payment(5_000, 40))
    facts = ask("last_payment").facts
    assert (facts["amount"], facts["debt"], facts["credit"]) == (30_000, 70_000, 0)


def test_who_has_never_paid_is_told_so(ask: Ask, put: Put) -> None:
    """With the debt, since that is what the question was about."""
    put(bills, bill(1, 20))
    outcome = ask("last_payment")
    assert (outcome.kind, outcome.facts["debt"]) == (Refusal.NO_PAYMENT, 100_000)


# --- histories ------------------------------------------------------------------------


def test_a_history_goes_from_the_newest_on(ask: Ask, put: Put) -> None:
    """Each with its own columns."""
    put(bills, bill(1, 60), bill(3, 5, used=7), bill(2, 20, to_reading=990))
    put(payments, payment(1, 9), payment(2, 3))
    assert rows(ask("consumption_history"), "period") == ["1405/03", "1405/02", "1405/01"]
    assert rows(ask("consumption_history"), "used") == [7, 99_990, 40]
    assert rows(ask("bill_history"), "payable") == [100_000] * 3
    assert rows(ask("payment_history"), "amount") == [2, 1]


def test_a_year_is_from_its_first_day_on(ask: Ask, put: Put) -> None:
    """A bill of March counts for the year in which it was issued, its water for the one before."""
    nowruz = 1_774_038_600_000  # 1 Farvardin 1405, midnight in Tehran
    of_1404 = {"from_date": date(2026, 1, 20), "to_date": date(2026, 3, 20)}
    put(bills, bill(1, 0, **of_1404, issued_at=nowruz), bill(2, 20))
    put(payments, payment(1, 0, paid_at=nowruz - 1), payment(2, 0, paid_at=nowruz))
    assert rows(ask("bill_history", year="1405"), "period") == ["1405/02", "1405/01"]
    assert rows(ask("consumption_history", year="1405"), "period") == ["1405/02"]
    assert rows(ask("consumption_history", year="1404"), "period") == ["1405/02", "1405/01"]
    assert rows(ask("payment_history", year="1405"), "amount") == [2]


def test_use_between_two_periods_is_told_once(ask: Ask, put: Put) -> None:
    """A mid-period bill tells of it until the bill of the whole period does."""
    part = {"from_date": date(2026, 5, 22), "to_date": date(2026, 6, 10), "kind": "mid_period"}
    put(bills, bill(1, 90), bill(2, 60, **part))
    assert rows(ask("consumption_history"), "period") == ["1405/02", "1405/01"]
    put(bills, bill(3, 20, from_date=date(2026, 5, 22), to_date=date(2026, 7, 23)))
    assert rows(ask("consumption_history"), "period") == ["1405/03", "1405/01"]
    assert len(rows(ask("bill_history"), "period")) == 3


@pytest.mark.parametrize("year", ["1406", "9999", "0000", "2026", "1299"])
def test_a_year_of_which_there_is_nothing(ask: Ask, put: Put, year: str) -> None:
    """To come, of another calendar, or absurd: the answer names it."""
    put(bills, bill(1, 20))
    outcome = ask("bill_history", year=year)
    assert (outcome.kind, outcome.facts["year"]) == (Refusal.NO_HISTORY, int(year))


def test_a_long_history_comes_in_slices_that_leave_nothing_out(ask: Ask, put: Put) -> None:
    """Following ``next`` gives every row once."""
    put(payments, *(payment(amount, amount) for amount in range(1, 31)))
    seen: list[int] = []
    start: Any = 1
    while start:
        outcome = ask("payment_history", start=str(start))
        assert outcome.facts["start"] == len(seen) + 1
        assert len(rows(outcome, "amount")) <= MOST_ROWS
        seen += rows(outcome, "amount")
        start = outcome.facts["next"]
    assert seen == list(range(1, 31))


@pytest.mark.parametrize("start", ["4", "99999999999999999999"])
def test_past_the_end_it_says_how_many_rows_there_are(ask: Ask, put: Put, start: str) -> None:
    """However absurd the number; of a year, those of the year."""
    put(payments, payment(1, 1), payment(2, 2), payment(3, 400))
    put(bills, bill(1, 90), bill(2, 20))
    put(instalments, instalment("water", 1, date(2026, 9, 1)))
    assert ask("payment_history", start=start) == (
        "payment_history", Refusal.NO_MORE, {"count": 3},
    )  # fmt: skip
    assert ask("payment_history", start=start, year="1405").facts == {"count": 2}
    assert ask("consumption_history", start=start).facts == {"count": 2}
    assert ask("instalments", start=start).facts == {"count": 1}
    assert ask("list_mobiles", start=start).facts == {"count": 1}
    assert ask("my_subscriptions", start=start).facts == {"count": 1}
    assert ask("bill_history", start=start, year="1406").kind == Refusal.NO_HISTORY


def test_row_zero_is_the_first(ask: Ask, put: Put) -> None:
    """People count from wherever they like."""
    put(payments, payment(1, 1))
    assert ask("payment_history", start="0").facts["start"] == 1


# --- instalments ----------------------------------------------------------------------


def test_instalments_are_those_to_pay_the_next_first(ask: Ask, put: Put) -> None:
    """Of both plans together, with how many there are and what they come to."""
    put(
        instalments,
        instalment("water", 1, date(2026, 8, 1), paid_at=NOW),
        instalment("water", 2, date(2026, 11, 1)),
        instalment("wastewater", 1, date(2026, 10, 1), bill_id=BILL_ID, payment_id="1070189"),
    )
    outcome = ask("instalments")
    assert rows(outcome, "plan") == ["wastewater", "water"]
    assert rows(outcome, "number") == [1, 2]
    facts = outcome.facts
    assert (facts["count"], facts["total"], facts["next"], facts["payment_id"]) == (
        2,
        2_000_000,
        "",
        "1070189",
    )


def test_instalments_come_in_slices_as_well(ask: Ask, put: Put) -> None:
    """Count and total stay those of all."""
    put(instalments, *(instalment("water", n, date(2027, 1, n)) for n in range(1, 16)))
    first = ask("instalments")
    assert (len(rows(first, "number")), first.facts["next"]) == (MOST_ROWS, 13)
    rest = ask("instalments", start="13")
    assert (rows(rest, "number"), rest.facts["count"]) == ([13, 14, 15], 15)


def test_without_instalments_the_answer_says_so(ask: Ask) -> None:
    """And not an empty list."""
    assert ask("instalments").kind == Refusal.NO_INSTALMENTS


# --- who may see it -------------------------------------------------------------------

TELLING = (
    "balance", "last_bill", "last_payment", "consumption_history", "payment_history",
    "bill_history", "instalments",
)  # fmt: skip


@pytest.mark.parametrize("operation", TELLING)
def test_a_stranger_is_told_nothing(ask: Ask, put: Put, operation: str) -> None:
    """Neither by number nor by bill ID, which every printed bill shows."""
    put(bills, bill(1, 20))
    assert ask(operation, STRANGER, number="10000001").kind == Refusal.CODE_NEEDED
    assert ask(operation, STRANGER, bill_id=BILL_ID).kind == Refusal.CODE_NEEDED
    assert ask(operation, STRANGER, number="10000001", code="9").kind == Refusal.NOT_RECOGNISED


def test_a_batch_takes_as_many_statements_as_one_call(
    utility: Database, put: Put, keys: Keys, count_statements: CountStatements
) -> None:
    """Whatever is asked, of whichever year and row."""
    put(bills, bill(1, 20))
    put(payments, payment(1, 1))

    def work(connection: Connection, times: int) -> None:
        wanted = [
            Wanted(
                Asker(UTILITY, f"98913{n:07}", NOW, Terms(), "sms", n),
                Call(
                    operation,
                    {
                        Argument.NUMBER: f"1000000{1 + n % 2}",
                        Argument.CODE: "4321",
                        Argument.YEAR: str(1400 + n % 6),
                        Argument.START: str(2 + n),
                    },
                ),
                REGISTRY[operation].needs,
            )
            for operation in TELLING
            for n in range(times)
        ]
        facts = Facts.load(connection, IDS, wanted)
        for asker, call, _needs in wanted:
            assert REGISTRY[call.operation](keys, asker, call, facts).kind in {
                DONE, Refusal.NO_BILL, Refusal.NO_HISTORY, Refusal.NO_PAYMENT,
                Refusal.NO_INSTALMENTS, Refusal.NO_MORE,
            }  # fmt: skip
        facts.store(connection)

    counts = []
    for times in (1, 100):
        with count_statements(utility) as counted:
            utility.transact("ask", work, times)
        counts.append(counted.total)
    assert counts[0] == counts[1]


def test_a_debt_and_a_credit_are_never_both() -> None:
    """Whatever was paid."""
    for paid in (0, 100, 250):
        last = LastBill(1, 100, None, None, None, None, None, None, None, paid)
        assert min(last.debt, last.credit) == 0
        assert last.debt - last.credit == last.balance


def test_a_code_is_checked_whatever_the_subscription_is_named_by(ask: Ask, put: Put) -> None:
    """With a bill ID as with the number."""
    put(bills, bill(1, 20))
    assert ask("last_bill", STRANGER, bill_id=BILL_ID, code="4321").kind == DONE
    assert ask("last_bill", STRANGER, bill_id=BILL_ID, code="9").kind == Refusal.NOT_RECOGNISED


def test_a_wrong_code_proves_nothing_where_an_operation_is_open(
    utility: Database, keys: Keys, put: Put
) -> None:
    """A name is masked for whoever brings a bill ID alone, and a wrong code gets nothing at all."""
    put(bills, bill(1, 20))
    terms = Terms(Policy(open_operations=frozenset({"last_bill"})))
    asker = Asker(UTILITY, STRANGER, NOW, terms, "sms", 99)

    def run(said: dict[Argument, str]) -> Outcome:
        def work(connection: Connection) -> Outcome:
            call = Call("last_bill", said)
            made = REGISTRY["last_bill"]
            facts = Facts.load(connection, IDS, [Wanted(asker, call, made.needs)])
            return made(keys, asker, call, facts)

        return utility.transact("ask", work)

    assert run({Argument.BILL_ID: BILL_ID}).facts["name"] == "ع*** م***"
    assert run({Argument.BILL_ID: BILL_ID, Argument.CODE: "4321"}).facts["name"] == "علی محمدی"
    wrong = run({Argument.BILL_ID: BILL_ID, Argument.CODE: "9999"})
    assert wrong.kind == Refusal.NOT_RECOGNISED


def test_a_bill_id_is_no_way_around_the_lock(ask: Ask, put: Put) -> None:
    """Wrong codes count against the subscription, however it was named."""
    for i in range(5):
        ask("last_bill", f"98912000000{i}", at=NOW + i, bill_id=BILL_ID, code="9")
    assert ask("last_bill", STRANGER, at=NOW + 9, number="10000001", code="4321").kind == (
        Refusal.LOCKED_OUT
    )
    assert ask("last_bill", STRANGER, at=NOW + 9, bill_id=BILL_ID, code="4321").kind == (
        Refusal.LOCKED_OUT
    )
