"""What a subscriber may ask for: every outcome of every operation, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from core.calls import DONE, Argument, Call, Outcome, Refusal
from core.database import Database
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import bill_recipients, bills, code_failures, contacts, payments, readings
from core.tables import subscribers as subscriber_rows
from core.terms import Terms

NOW = 1_790_000_000_000
DAY = 86_400_000
UTILITY = "kerman-water"
IDS = IdMaker(0, lambda: NOW)
MINE = "989130000001"
STRANGER = "989139999999"
TWO_HOUSES = "989130000002"

Ask = Callable[..., Outcome]


@pytest.fixture
def utility(database: Database, keys: Keys) -> Database:
    """Three subscriptions: 10000001 in debt, 10000002 in credit, 10000003 never billed."""

    def fill(connection: Connection) -> None:
        for number in (1, 2, 3):
            text = f"1000000{number}"
            code_hash = keys.code_hash(UTILITY, text, "4321")
            connection.execute(
                insert(subscriber_rows).values(
                    id=number, utility=UTILITY, number=text, code_hash=code_hash, changed_at=0
                )
            )
        for row in ((MINE, 1), (TWO_HOUSES, 1), (TWO_HOUSES, 2)):
            connection.execute(
                insert(contacts).values(
                    utility=UTILITY,
                    mobile=row[0],
                    subscriber_id=row[1],
                    source="import",
                    created_at=0,
                )
            )
        for number in (1, 2):
            connection.execute(insert(bills), [bill(number, 1, 90), bill(number, 2, 30)])
        connection.execute(insert(payments), [payment(1, 500, 80), payment(2, 250_000, 5)])

    database.transact("fill", fill)
    return database


def bill(subscriber: int, period: int, days_ago: int) -> dict[str, Any]:
    """A bill of 40 units over 60 days, 200,000 rial to pay."""
    return {
        "subscriber_id": subscriber,
        "period": f"1405/{period}",
        "from_date": date(2026, 6, 1),
        "to_date": date(2026, 7, 31),
        "from_reading": 1000 + 40 * period,
        "to_reading": 1040 + 40 * period,
        "amount": 100_000 * period,
        "payable": 100_000 * period,
        "bill_id": "2050327604613",
        "payment_id": "1070189",
        "due_date": date(2026, 10, 1),
        "issued_at": NOW - days_ago * DAY,
    }


def payment(subscriber: int, amount: int, days_ago: int) -> dict[str, Any]:
    """A payment through a bank."""
    return {
        "utility": UTILITY,
        "subscriber_id": subscriber,
        "amount": amount,
        "paid_at": NOW - days_ago * DAY,
        "channel": "bank",
        "reference": f"{subscriber}-{days_ago}",
    }


@pytest.fixture
def ask(utility: Database, keys: Keys) -> Ask:
    """Run one operation as one batch does, and commit it."""

    def run(operation: str, mobile: str = STRANGER, at: int = NOW, **said: str) -> Outcome:
        asker = Asker(UTILITY, mobile, at, Terms(), "sms", 99)
        call = Call(operation, {Argument(name): value for name, value in said.items()})

        def work(connection: Connection) -> Outcome:
            made = REGISTRY[operation]
            facts = Facts.load(connection, IDS, [Wanted(asker, call, made.needs)])
            outcome = made(keys, asker, call, facts)
            facts.store(connection)
            return outcome

        outcome = utility.transact("ask", work)
        # Whatever comes of it must have been declared, or no reply could be written for it.
        assert set(outcome.facts) == REGISTRY[operation].outcomes[outcome.kind]
        return outcome

    return run


def shown(outcome: Outcome, *names: str) -> tuple[Any, ...]:
    """The outcome's kind and some of its facts."""
    return (outcome.kind, *(outcome.facts[name] for name in names))


# --- whose subscription it is ---------------------------------------------------------


def test_the_code_shows_the_right_to_a_subscription(ask: Ask) -> None:
    """A stranger with number and code is answered."""
    assert ask("balance", number="10000001", code="4321").kind == DONE


@pytest.mark.parametrize(("number", "code"), [("10000001", "4322"), ("19999999", "4321")])
def test_a_wrong_code_and_an_unknown_number_are_told_alike(
    ask: Ask, number: str, code: str
) -> None:
    """The answer never says which part was wrong."""
    assert ask("balance", number=number, code=code) == Outcome(
        "balance", Refusal.NOT_RECOGNISED, {}
    )


def test_another_utilitys_subscription_is_unknown(ask: Ask, utility: Database) -> None:
    """Several utilities share the database, not their subscribers."""
    utility.transact(
        "move",
        lambda connection: connection.execute(
            subscriber_rows.update().values(utility="lorestan-water")
        ),
    )
    assert ask("balance", number="10000001", code="4321").kind == Refusal.NOT_RECOGNISED


def test_five_wrong_codes_lock_the_mobile_for_every_subscription(ask: Ask) -> None:
    """The fifth is told that it locked; the right code of another house does not help."""
    kinds = [ask("balance", number="10000001", code="0000", at=NOW + i).kind for i in range(5)]
    assert kinds == [Refusal.NOT_RECOGNISED] * 4 + [Refusal.LOCKED_OUT]
    locked = ask("balance", number="10000002", code="4321", at=NOW + 60_000)
    assert shown(locked, "minutes") == (Refusal.LOCKED_OUT, 30)


def test_five_wrong_codes_lock_the_subscription_for_every_mobile(ask: Ask) -> None:
    """Guessing from five mobiles is guessing all the same."""
    for i in range(5):
        ask("balance", f"98912000000{i}", at=NOW + i, number="10000001", code="0000")
    assert ask("balance", number="10000001", code="4321", at=NOW + 9).kind == Refusal.LOCKED_OUT


def test_a_lock_ends_and_tries_while_locked_do_not_prolong_it(ask: Ask, utility: Database) -> None:
    """Half an hour after the last mistake that counted, the code works again."""
    for i in range(8):
        ask("balance", number="10000001", code="0000", at=NOW + i)
    stored = utility.transact("count", lambda c: c.execute(select(code_failures)).all())
    assert len(stored) == 5
    later = NOW + 31 * 60_000
    assert ask("balance", number="10000001", code="4321", at=later).kind == DONE


def test_a_lock_does_not_reach_the_registered_owner(ask: Ask) -> None:
    """Somebody who guesses must not shut out the person who needs no code."""
    for i in range(5):
        ask("balance", number="10000001", code="0000", at=NOW + i)
    assert ask("balance", MINE, at=NOW + 9).kind == DONE


def test_a_registered_mobile_may_leave_out_number_and_code(ask: Ask) -> None:
    """``010`` alone."""
    assert shown(ask("balance", MINE), "number") == (DONE, "10000001")


def test_a_mobile_of_several_subscriptions_must_say_which(ask: Ask) -> None:
    """It may leave out the code, not the number."""
    assert shown(ask("balance", TWO_HOUSES), "count") == (Refusal.WHICH_SUBSCRIPTION, 2)
    assert shown(ask("balance", TWO_HOUSES, number="10000002"), "number") == (DONE, "10000002")


def test_a_mobile_that_is_registered_nowhere_must_say_all(ask: Ask) -> None:
    """Neither nothing nor a number alone is enough."""
    assert ask("balance").kind == Refusal.NOT_REGISTERED
    assert ask("balance", number="10000001").kind == Refusal.CODE_NEEDED
    assert ask("balance", MINE, number="10000002").kind == Refusal.CODE_NEEDED


# --- balance ----------------------------------------------------------------------------


def test_the_balance_is_the_last_payable_less_what_was_paid_since(ask: Ask) -> None:
    """A payment before the bill is in its payable already."""
    outcome = ask("balance", MINE)
    assert shown(outcome, "debt", "credit", "due", "payment_id") == (
        DONE,
        200_000,
        0,
        date(2026, 10, 1),
        "1070189",
    )


def test_whoever_paid_too_much_has_a_credit_and_nothing_to_pay_with(ask: Ask) -> None:
    """No deadline and no payment ID where nothing is owed."""
    outcome = ask("balance", number="10000002", code="4321")
    assert shown(outcome, "debt", "credit", "due", "payment_id") == (DONE, 0, 50_000, "", "")


def test_without_any_bill_there_is_no_balance(ask: Ask) -> None:
    """A new subscription is told so, not "zero"."""
    assert shown(ask("balance", number="10000003", code="4321"), "number") == (
        Refusal.NO_BILL,
        "10000003",
    )


# --- readings ---------------------------------------------------------------------------


def stored_readings(utility: Database) -> list[tuple[int, str, str, str | None, int | None]]:
    """Everything in the table, oldest first."""
    columns = (
        readings.c.reading,
        readings.c.state,
        readings.c.source,
        readings.c.mobile,
        readings.c.inbox_id,
    )
    return utility.transact(
        "readings",
        lambda c: [tuple(row) for row in c.execute(select(*columns).order_by(readings.c.read_at))],
    )


def test_a_reading_is_stored_with_who_sent_it_and_answered_with_the_use(
    ask: Ask, utility: Database
) -> None:
    """The use counts from the last bill's reading when that is the newest."""
    outcome = ask("submit_reading", MINE, reading="01150")
    assert shown(outcome, "reading", "used", "last_reading", "last_date") == (
        DONE,
        1150,
        30,
        1120,
        date(2026, 7, 31),
    )
    assert stored_readings(utility) == [(1150, "accepted", "sms", MINE, 99)]


def test_the_next_reading_counts_from_the_one_before(ask: Ask) -> None:
    """Not from the bill any more."""
    ask("submit_reading", MINE, reading="1150")
    assert shown(ask("submit_reading", MINE, at=NOW + DAY, reading="1160"), "used") == (DONE, 10)


@pytest.mark.parametrize(
    ("reading", "kind", "facts"),
    [
        ("123456", Refusal.READING_TOO_LONG, {"digits": 5}),
        ("1119", Refusal.READING_BELOW_LAST, {"reading": 1119, "last_reading": 1120}),
        ("99999", Refusal.CONFIRM_READING, {"reading": 99999, "used": 98879}),
    ],
)
def test_readings_that_cannot_be_taken(
    ask: Ask, reading: str, kind: Refusal, facts: Mapping[str, int]
) -> None:
    """Each with what the answer needs to say why."""
    assert ask("submit_reading", MINE, reading=reading) == Outcome("submit_reading", kind, facts)


def test_an_implausible_reading_counts_once_it_is_sent_again(ask: Ask, utility: Database) -> None:
    """Until then it is kept, and does not count."""
    ask("submit_reading", MINE, reading="3000")
    assert [row[1] for row in stored_readings(utility)] == ["unconfirmed"]
    outcome = ask("submit_reading", MINE, at=NOW + DAY // 2, reading="3000")
    assert shown(outcome, "used") == (DONE, 1880)
    assert [row[1] for row in stored_readings(utility)] == ["doubtful"]


def test_a_confirmation_comes_in_time_and_with_the_same_figure(ask: Ask) -> None:
    """A day later, or with another figure, it is asked for again."""
    ask("submit_reading", MINE, reading="3000")
    other = ask("submit_reading", MINE, at=NOW + 60_000, reading="3001")
    assert other.kind == Refusal.CONFIRM_READING
    late = ask("submit_reading", MINE, at=NOW + 60_000 + DAY + 1, reading="3001")
    assert late.kind == Refusal.CONFIRM_READING


def test_a_first_reading_has_nothing_to_be_compared_with(ask: Ask) -> None:
    """It is taken, and no use is claimed."""
    outcome = ask("submit_reading", number="10000003", code="4321", reading="42")
    assert shown(outcome, "used", "last_reading", "last_date") == (DONE, -1, -1, "")


# --- bills by SMS -------------------------------------------------------------------------


def recipients(utility: Database) -> list[tuple[str, int]]:
    """Which mobile gets which subscription's bills."""
    columns = (bill_recipients.c.mobile, bill_recipients.c.subscriber_id)
    return utility.transact(
        "recipients",
        lambda c: sorted((row[0], row[1]) for row in c.execute(select(*columns))),
    )


def test_bills_go_to_the_mobile_that_asked_once_however_often_it_asks(
    ask: Ask, utility: Database
) -> None:
    """To that mobile, not to the registered one."""
    for i in range(3):
        assert ask("bill_by_sms", at=NOW + i, number="10000001", code="4321").kind == DONE
    assert recipients(utility) == [(STRANGER, 1)]


def test_nine_stops_all_bills_to_this_mobile_and_no_other(ask: Ask, utility: Database) -> None:
    """Two subscriptions are two; the neighbour's bills go on."""
    for number in ("10000001", "10000002"):
        ask("bill_by_sms", number=number, code="4321")
    ask("bill_by_sms", MINE)
    assert shown(ask("stop_bill_by_sms"), "count") == (DONE, 2)
    assert recipients(utility) == [(MINE, 1)]


def test_nine_from_a_mobile_that_gets_none_says_so(ask: Ask) -> None:
    """Nothing was stopped, and the answer does not pretend."""
    assert ask("stop_bill_by_sms").kind == Refusal.NOT_SUBSCRIBED
