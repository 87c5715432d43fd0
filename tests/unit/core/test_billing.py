"""Bills at once: a quick calculation, a mid-period bill, and what it takes to make one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select

from core import identifiers
from core.billing import bill_id_of, payment_id_of, period_key, rounded
from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.database import Database
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.policy import Policy
from core.readings import MeterChange, used_through
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bills, contacts, events, payments, readings, subscribers
from core.tariff import Block, Fee, Tariff, Version, amount_of, lines_stored
from core.terms import BillingTerms, Terms

NOW = 1_790_000_000_000  # 30 Shahrivar 1405 in Tehran
TODAY = date(2026, 9, 21)
DAY = 86_400_000
UTILITY = "kerman-water"
MINE = "989130000001"
IDS = IdMaker(0, lambda: NOW)

# 1,000 rial/m³ and 301 rial a month, so that a bill of a month is easy to read.
PRICES = Tariff(
    (
        Version(
            since=date(2020, 1, 1),
            blocks=(Block(None, 1000),),
            subscription=Fee(301, 301),
        ),
    ),
    (),
    {"": "home", "خانگی": "home"},
)
TERMS = Terms(billing=BillingTerms("046", "1", 10), tariff=PRICES)

Ask = Callable[..., Outcome]


@pytest.fixture
def utility(database: Database) -> Database:
    """10000001 was billed 30 days ago to 1,120 m³; 10000002 never; 10000003 is a palace."""

    def fill(connection: Connection) -> None:
        for number, usage in ((1, "خانگی"), (2, ""), (3, "کاخ")):
            connection.execute(
                insert(subscribers).values(
                    id=number,
                    utility=UTILITY,
                    number=f"1000000{number}",
                    usage=usage,
                    changed_at=0,
                )
            )
            connection.execute(
                insert(contacts).values(
                    utility=UTILITY,
                    mobile=f"98913000000{number}",
                    subscriber_id=number,
                    source="import",
                    created_at=0,
                )
            )
        connection.execute(insert(bills), [_bill(1), _bill(3)])
        connection.execute(insert(payments).values(**_payment(200_000, 20)))

    database.transact("fill", fill)
    return database


def _bill(subscriber: int) -> dict[str, Any]:
    """A bill of 200,000 rial to 22 August, issued the day after."""
    return {
        "subscriber_id": subscriber,
        "period": "1405/3",
        "from_date": date(2026, 6, 23),
        "to_date": date(2026, 8, 22),
        "from_reading": 1040,
        "to_reading": 1120,
        "amount": 200_000,
        "payable": 200_000,
        "issued_at": NOW - 29 * DAY,
        "carried": 700,
    }


def _payment(amount: int, days_ago: int) -> dict[str, Any]:
    return {
        "utility": UTILITY,
        "subscriber_id": 1,
        "amount": amount,
        "paid_at": NOW - days_ago * DAY,
        "channel": "bank",
        "reference": str(days_ago),
    }


@pytest.fixture
def ask(utility: Database, keys: Keys) -> Ask:
    """Run one operation as one batch does, and commit it."""

    def run(
        operation: str, reading: str, mobile: str = MINE, at: int = NOW, terms: Terms = TERMS
    ) -> Outcome:
        asker = Asker(UTILITY, mobile, at, terms, "sms", 99)
        call = Call(operation, {Argument.READING: reading})

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


def count(utility: Database, *where: Any) -> int:
    """How many rows there are under a condition."""
    statement = select(func.count()).where(*where)
    return int(utility.transact("count", lambda c: c.execute(statement).scalar_one()))


# --- a bill at once -----------------------------------------------------------------------


def test_a_reading_gives_the_bill_at_once(ask: Ask, utility: Database) -> None:
    """30 m³, a month's fee and the 700 rial carried over make 31,001: 31,000 to pay."""
    found = ask("mid_bill", "1150")
    bill_id = identifiers.make_bill_id("10000001", "046", "1")
    assert found == Outcome(
        "mid_bill",
        DONE,
        {
            "number": "10000001",
            "reading": 1150,
            "used": 30,
            "amount": 30_301,
            "payable": 31_000,
            "bill_id": bill_id,
            "payment_id": identifiers.make_payment_id(bill_id, 31_000, "5", "06"),
            "due": date(2026, 10, 1),
        },
    )
    row = utility.transact(
        "read",
        lambda c: c.execute(select(bills).where(bills.c.kind == "mid_period")).mappings().one(),
    )
    assert (row["period"], row["carried"], row["used"]) == (period_key(TODAY), 1, 30)
    assert (row["from_date"], row["to_date"]) == (date(2026, 8, 22), TODAY)
    lines = lines_stored(row["lines"])
    assert (lines[0].code, lines[0].amount, lines[0].first) == (
        "water.1",
        30_000,
        date(2026, 8, 22),
    )
    assert amount_of(lines) == row["amount"]


def test_the_bill_and_its_reading_are_events(ask: Ask, utility: Database) -> None:
    """The utility's own messages follow from them."""
    ask("mid_bill", "1150")
    kinds = utility.transact("read", lambda c: set(c.execute(select(events.c.kind)).scalars()))
    assert kinds == {"reading_accepted", "bill_issued"}


def test_the_balance_is_the_new_bill(ask: Ask, utility: Database, keys: Keys) -> None:
    """Whoever asks what is owed is told the payable of the bill that was just made."""
    ask("mid_bill", "1150")
    asker = Asker(UTILITY, MINE, NOW + 1, TERMS, "sms", 1)
    call = Call("balance", {})

    def work(connection: Connection) -> Outcome:
        facts = Facts.load(connection, IDS, [Wanted(asker, call, REGISTRY["balance"].needs)])
        return REGISTRY["balance"](keys, asker, call, facts)

    assert utility.transact("ask", work).facts["debt"] == 31_000


def test_the_same_reading_of_the_same_day_is_answered_with_the_first_bill(
    ask: Ask, utility: Database
) -> None:
    """A text that was delivered twice, or sent again by a person."""
    first = ask("mid_bill", "1150")
    assert ask("mid_bill", "01150", at=NOW + 3_600_000) == first
    assert count(utility, bills.c.kind == "mid_period") == 1
    assert count(utility, readings.c.reading == 1150) == 1
    assert count(utility, events.c.kind == "bill_issued") == 1


def test_who_has_paid_is_not_asked_to_pay_again(ask: Ask, utility: Database) -> None:
    """The first bill again, with nothing left to pay."""
    ask("mid_bill", "1150")
    utility.transact("pay", lambda c: c.execute(insert(payments).values(**_payment(31_000, -1))))
    again = ask("mid_bill", "1150", at=NOW + 60_000)
    assert (again.facts["payable"], again.facts["payment_id"], again.facts["due"]) == (0, "", "")


def test_a_figure_put_right_the_same_day_takes_the_place_of_the_first(
    ask: Ask, utility: Database
) -> None:
    """One bill of the whole period, and not one more of a period of no days."""
    ask("mid_bill", "1150")
    found = ask("mid_bill", "1160", at=NOW + 60_000)
    assert (found.facts["used"], found.facts["amount"], found.facts["payable"]) == (
        40,
        40_301,
        41_000,  # with the 700 that were carried before the first
    )
    assert count(utility, bills.c.kind == "mid_period") == 1


def test_a_bill_of_the_next_day_goes_on_from_it(ask: Ask) -> None:
    """The rial left over and what is owed are on it; owed before means pay at once."""
    ask("mid_bill", "1150")
    found = ask("mid_bill", "1152", at=NOW + DAY)
    # 2 m³ and 301/30 rial for the day: 2,010, with 31,000 and 1 rial carried
    assert (found.facts["amount"], found.facts["payable"]) == (2010, 33_000)
    assert found.facts["due"] == ""


def test_a_quick_calculation_books_nothing(ask: Ask, utility: Database) -> None:
    """The same figures, and no row."""
    found = ask("quick_bill", "1150")
    assert found.facts == {
        "number": "10000001",
        "reading": 1150,
        "used": 30,
        "amount": 30_301,
        "payable": 31_000,
    }
    for what in (bills.c.kind == "mid_period", readings.c.id > 0, events.c.id > 0):
        assert count(utility, what) == 0


def test_a_quick_calculation_asks_for_no_confirmation(ask: Ask) -> None:
    """Nothing is stored that could be wrong."""
    assert ask("quick_bill", "3000").kind == DONE


def test_an_implausible_reading_is_billed_once_it_is_sent_again(
    ask: Ask, utility: Database
) -> None:
    """Until then there is no bill; and a third time answers with the first."""
    assert ask("mid_bill", "3000").kind == Refusal.CONFIRM_READING
    assert count(utility, bills.c.kind == "mid_period") == 0
    second = ask("mid_bill", "3000", at=NOW + 60_000)
    assert (second.kind, second.facts["used"]) == (DONE, 1880)
    assert ask("mid_bill", "3000", at=NOW + 120_000) == second
    assert count(utility, readings.c.state == "doubtful") == 1


@pytest.mark.parametrize(
    ("mobile", "reading", "refusal"),
    [
        (MINE, "1119", Refusal.READING_BELOW_LAST),
        (MINE, "123456", Refusal.READING_TOO_LONG),
        ("989130000002", "1150", Refusal.NO_BILL),
        ("989130000003", "1150", Refusal.NO_TARIFF),
    ],
)
def test_readings_that_make_no_bill(
    ask: Ask, utility: Database, mobile: str, reading: str, refusal: Refusal
) -> None:
    """Each is told why, and nothing is stored by half."""
    for operation in ("quick_bill", "mid_bill"):
        assert ask(operation, reading, mobile).kind == refusal
    assert count(utility, readings.c.id > 0) == 0


def test_a_utility_without_a_tariff_makes_no_bills(ask: Ask) -> None:
    """It says so, rather than a bill of nothing."""
    assert ask("mid_bill", "1150", terms=Terms()).kind == Refusal.NO_TARIFF


def test_a_subscription_that_was_never_billed_begins_at_its_last_reading(
    ask: Ask, utility: Database
) -> None:
    """A month after the first reading there is a bill."""
    first = {"subscriber_id": 2, "reading": 100, "source": "reader", "state": "accepted"}
    utility.transact(
        "read", lambda c: c.execute(insert(readings).values(read_at=NOW - 30 * DAY, **first))
    )
    found = ask("mid_bill", "110", "989130000002")
    assert (found.facts["used"], found.facts["amount"]) == (10, 10_301)


def test_a_meter_that_rolled_over(ask: Ask, utility: Database) -> None:
    """From 99,990 to 10 are 20 m³."""
    utility.transact(
        "set", lambda c: c.execute(bills.update().values(from_reading=99_900, to_reading=99_990))
    )
    assert ask("mid_bill", "10").facts["used"] == 20


def test_a_meter_that_was_changed(ask: Ask, utility: Database) -> None:
    """From 1,120 to 1,130 on the old one, from 3 to 18 on the new one."""
    change = {
        "subscriber_id": 1,
        "reading": 3,
        "read_at": NOW - 10 * DAY,
        "source": "reader",
        "state": "accepted",
        "meter_state": "changed",
        "old_end": 1130,
    }
    utility.transact("change", lambda c: c.execute(insert(readings).values(**change)))
    assert ask("mid_bill", "18").facts["used"] == 25


def test_the_same_text_twice_in_one_batch_makes_one_bill(utility: Database, keys: Keys) -> None:
    """What the first of them did is seen by the second, before anything is committed."""
    call = Call("mid_bill", {Argument.READING: "1150"})
    askers = [Asker(UTILITY, MINE, NOW + place, TERMS, "sms", place) for place in (1, 2)]

    def work(connection: Connection) -> list[Outcome]:
        made = REGISTRY["mid_bill"]
        facts = Facts.load(connection, IDS, [Wanted(one, call, made.needs) for one in askers])
        outcomes = [made(keys, one, call, facts) for one in askers]
        facts.store(connection)
        return outcomes

    first, second = utility.transact("batch", work)
    assert first == second
    assert count(utility, bills.c.kind == "mid_period") == 1
    assert count(utility, readings.c.reading == 1150) == 1


def test_statements_do_not_grow_with_the_batch(
    utility: Database, keys: Keys, count_statements: Any
) -> None:
    """One reading or three of as many subscriptions: the same number."""

    def batch(readings_of: dict[int, str], at: int) -> int:
        def work(connection: Connection) -> None:
            asked = [
                (
                    Asker(UTILITY, f"98913000000{number}", at, TERMS, "sms", number),
                    Call("mid_bill", {Argument.READING: reading}),
                )
                for number, reading in readings_of.items()
            ]
            made = REGISTRY["mid_bill"]
            facts = Facts.load(connection, IDS, [Wanted(*one, made.needs) for one in asked])
            for asker, call in asked:
                assert made(keys, asker, call, facts).kind == DONE
            facts.store(connection)

        with count_statements(utility) as counted:
            utility.transact("batch", work)
        return int(counted.total)

    utility.transact("usage", lambda c: c.execute(subscribers.update().values(usage="خانگی")))
    utility.transact("bill", lambda c: c.execute(insert(bills).values(**_bill(2))))
    assert batch({1: "1150"}, NOW) == batch({1: "1151", 2: "1150", 3: "1150"}, NOW + DAY)


# --- what a bill is made of ---------------------------------------------------------------


@given(st.integers(-(10**12), 10**12))
def test_nothing_is_lost_in_rounding(total: int) -> None:
    """What is paid and what is carried are the whole; a payment ID can carry what is paid."""
    payable, carried = rounded(total)
    assert payable + carried == total
    assert 0 <= carried < 1000
    assert payable <= 0 or payable % 1000 == 0


@pytest.mark.parametrize(
    ("total", "found"),
    [(31_999, (31_000, 999)), (999, (0, 999)), (0, (0, 0)), (-1500, (-1500, 0))],
)
def test_what_is_carried_to_the_next_bill(total: int, found: tuple[int, int]) -> None:
    """What is below a thousand; a credit stays whole."""
    assert rounded(total) == found


def test_a_bill_id_is_the_one_on_record_or_made_of_the_number() -> None:
    """Of a number of up to eight digits, for a utility that says its company."""
    terms = BillingTerms("046", "1")
    assert bill_id_of("2050327604613", "1", terms) == "2050327604613"
    assert identifiers.check_bill_id(bill_id_of(None, "10000001", terms))
    assert bill_id_of(None, "123456789", terms) == ""
    assert bill_id_of(None, "10000001", BillingTerms()) == ""


def test_a_payment_id_that_would_be_too_long_is_left_blank() -> None:
    """100,000,000,000 rial and more (DOMAIN 4)."""
    assert payment_id_of("2050327604613", 99_999_999_000, TODAY) != ""
    assert payment_id_of("2050327604613", 100_000_000_000, TODAY) == ""
    assert payment_id_of("2050327604613", 999, TODAY) == ""


@pytest.mark.parametrize(
    ("changes", "used"),
    [
        ((), 50),
        ((MeterChange(1, 110, 0),), 160),
        ((MeterChange(1, None, 140),), 10),
        ((MeterChange(1, 120, 99_995), MeterChange(2, 3, 148)), 30),
        ((MeterChange(1, 50, 0),), None),
    ],
)
def test_the_use_through_changes_of_the_meter(
    changes: tuple[MeterChange, ...], used: int | None
) -> None:
    """From 100 to 150: each meter its part; an end below the beginning cannot be."""
    assert used_through(150, 100, changes, 5, Policy()) == used
