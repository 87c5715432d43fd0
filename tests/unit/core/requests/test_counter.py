"""Requests at a counter: registered whole or not at all, changed as the table allows, priced."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core import tracking
from core.database import Database
from core.identifiers import check_bill_id, check_payment_id, split_payment_id
from core.requests.browse import RequestFilter, list_requests, show_request
from core.requests.changes import announce_fee, book_fee, edit, issue_voucher, move
from core.requests.counter import Counter, NewRequest, RequestError, register
from core.requests.rows import Request
from core.requests.states import RequestState
from core.tables import events, request_history, requests
from tests.unit.core.requests.conftest import DAY, MINE, NOW, UTILITY, happened, rows

FIELDS = {"national_code": "0499370899", "mobile": "09131234567", "neighbour": "۱۰۰۰۰۰۰۲"}
CONNECTION = NewRequest("water_connection", fields=FIELDS, office="12")
TEST = NewRequest("meter_test", number="10000001", mobile=MINE, text="تند می‌چرخد", office="12")

Do = Callable[..., Request]


@pytest.fixture
def do(utility: Database, counter: Counter) -> Do:
    """Do one thing at the counter, in a transaction of its own."""

    def run(work: Callable[..., Request], *arguments: Any, at: int = NOW) -> Request:
        return utility.transact("do", work, replace(counter, now=at), *arguments)

    return run


def refused(do: Do, *arguments: Any) -> str:
    """What the counter is told when it cannot be done."""
    with pytest.raises(RequestError) as caught:
        do(*arguments)
    return str(caught.value)


def test_a_request_with_its_fields_checked_and_in_one_form(do: Do, utility: Database) -> None:
    """It is told to the mobile of its field, and is about nobody's subscription."""
    made = do(register, CONNECTION)
    assert tracking.check(made.tracking)
    assert (made.state, made.mobile, made.subscriber_id, made.source, made.office) == (
        "registered",
        "989131234567",
        None,
        "counter",
        "12",
    )
    assert made.values == {**FIELDS, "mobile": "989131234567", "neighbour": "10000002"}
    ((kind, _, mobile, about),) = happened(utility)
    assert (kind, mobile, about["office"]) == ("request_registered", "989131234567", "12")


def test_what_is_wrong_is_said_and_nothing_is_stored(do: Do, utility: Database) -> None:
    """The kind, the door, the fields, the subscription, the text, the mobile."""
    missing = {key: value for key, value in FIELDS.items() if key != "neighbour"}
    said = {
        "needs neighbour": CONNECTION._replace(fields=missing),
        "did you mean 'meter_test'": TEST._replace(kind="metr_test"),
        "answered by mid_bill": NewRequest("mid_bill", number="10000001"),
        "no national code": CONNECTION._replace(fields={**FIELDS, "national_code": "4271427685"}),
        "no subscription 19999999": CONNECTION._replace(fields={**FIELDS, "neighbour": "19999999"}),
        "about no subscription": CONNECTION._replace(number="10000001"),
        "has no subscription 77": TEST._replace(number="77"),
        "say its number": TEST._replace(number=""),
        "needs a text": NewRequest("bill_review", number="10000001", text="  "),
        "takes no text": CONNECTION._replace(text="سلام"),
        "not a mobile": TEST._replace(mobile="0211234567"),
    }
    for words, new in said.items():
        assert words in refused(do, register, new)
    assert rows(utility, requests, "id") == rows(utility, events, "id") == []


def test_every_change_is_in_the_history_and_an_event(do: Do, utility: Database) -> None:
    """Who, when, what and why."""
    number = do(register, TEST).tracking
    do(move, number, RequestState.IN_REVIEW, at=NOW + 1)
    do(move, number, RequestState.REJECTED, "کنتور سالم است", at=NOW + 2)
    (shown,) = utility.transact("show", show_request, [UTILITY], number)
    assert [(step.at, step.state, step.by, step.note) for step in shown.history] == [
        (NOW, "registered", "office 12", ""),
        (NOW + 1, "in_review", "office 12", ""),
        (NOW + 2, "rejected", "office 12", "کنتور سالم است"),
    ]
    assert (shown.request.state, shown.request.changed_at) == ("rejected", NOW + 2)
    assert [
        (kind, about["state_key"], about["note"]) for kind, _, _, about in happened(utility)
    ] == [
        ("request_registered", "registered", ""),
        ("request_changed", "in_review", ""),
        ("request_changed", "rejected", "کنتور سالم است"),
    ]


def test_a_change_that_the_table_does_not_have_is_refused_with_those_it_has(do: Do) -> None:
    """The counter learns what may come next."""
    number = do(register, NewRequest("complaint", text="بو")).tracking
    assert "use `peyk request fee`" in refused(do, move, number, RequestState.VOUCHER_ISSUED)
    assert "use `peyk request fee`" in refused(do, move, number, RequestState.FEE_ANNOUNCED)
    assert "cannot become paid: after registered may come" in refused(
        do, move, number, RequestState.PAID
    )
    do(move, number, RequestState.CANCELLED)
    assert "cancelled is the end of it" in refused(do, move, number, RequestState.IN_REVIEW)
    unknown = tracking.make(7_654_321)
    assert f"has no request {unknown}" in refused(do, move, unknown, RequestState.DONE)
    mistyped = number[:-1] + str(9 - int(number[-1]))
    assert "is no tracking number" in refused(do, move, mistyped, RequestState.DONE)


def test_a_request_is_edited_until_the_company_is_at_work_on_it(do: Do, utility: Database) -> None:
    """Counter service 3: what is given changes, what is not stays, an optional field may go."""
    number = do(register, CONNECTION).tracking
    changed = do(edit, number, {"neighbour": "10000003", "units": "2"}, at=NOW + 5)
    assert changed.values == {
        "national_code": "0499370899", "mobile": "989131234567", "neighbour": "10000003",
        "units": "2",
    }  # fmt: skip
    assert "units" not in do(edit, number, {"units": ""}, at=NOW + 6).values
    assert "neighbour (شماره پرونده همسایه) is empty" in refused(
        do, edit, number, {"neighbour": " "}
    )
    (shown,) = utility.transact("show", show_request, [UTILITY], number)
    assert shown.history[1].note == "edited: شماره پرونده همسایه، تعداد واحد"
    do(move, number, RequestState.OPERATIONAL)
    assert "is operational: it can be edited no more" in refused(do, edit, number, {"units": "3"})


def test_a_voucher_carries_its_fee_in_ids_that_a_bank_takes(do: Do, utility: Database) -> None:
    """Annex 2, pattern 10: account, ID and amount, told by an event of its own."""
    number = do(register, TEST).tracking
    made = do(issue_voucher, number, 1_250_000)
    assert (made.state, made.fee, made.account) == ("voucher_issued", 1_250_000, "IR1200")
    assert made.bill_id is not None
    assert made.payment_id is not None
    assert check_bill_id(made.bill_id)
    assert check_payment_id(made.payment_id, made.bill_id)
    assert split_payment_id(made.payment_id)[:3] == (1_250_000, "0", "99")
    kind, subscriber_id, mobile, about = happened(utility)[-1]
    assert (kind, subscriber_id, mobile) == ("voucher_issued", 1, MINE)
    assert (about["fee"], about["account"], about["bill_id"], about["payment_id"]) == (
        1_250_000, "IR1200", made.bill_id, made.payment_id,
    )  # fmt: skip


def test_a_fee_may_be_announced_first_and_a_voucher_replaced(do: Do) -> None:
    """Until it is paid; another account may be said."""
    number = do(register, TEST).tracking
    assert "is not known yet" in refused(do, issue_voucher, number)
    announced = do(announce_fee, number, 500_000)
    assert (announced.state, announced.fee, announced.payment_id) == (
        "fee_announced", 500_000, None,
    )  # fmt: skip
    first = do(issue_voucher, number)
    second = do(issue_voucher, number, 600_000, "IR99")
    assert (first.fee, second.fee, second.account) == (500_000, 600_000, "IR99")
    assert first.payment_id != second.payment_id
    do(move, number, RequestState.PAID)
    assert "cannot become voucher_issued" in refused(do, issue_voucher, number, 700_000)


def test_a_fee_is_an_amount_that_can_be_paid(do: Do) -> None:
    """Whole thousands above zero, of a kind that costs something."""
    number = do(register, TEST).tracking
    for amount in (0, -5_000, 1_500, 999):
        assert "whole thousands" in refused(do, issue_voucher, number, amount)
    assert "do not fit a payment ID" in refused(do, issue_voucher, number, 10**12)
    free = do(register, NewRequest("complaint", text="بو")).tracking
    assert "has no fee" in refused(do, issue_voucher, free, 1_000)


def test_the_voucher_of_a_request_that_was_given_up_is_paid_no_more(do: Do) -> None:
    """Its payment ID goes, so that nobody can use it."""
    number = do(register, TEST).tracking
    do(issue_voucher, number, 5_000)
    assert do(move, number, RequestState.CANCELLED).payment_id is None


def test_a_bank_books_a_fee_once(do: Do, utility: Database, counter: Counter) -> None:
    """A callback that comes twice finds it done, and a request that was given up stays so."""
    made = do(register, TEST)
    do(issue_voucher, made.tracking, 5_000)
    assert utility.transact("book", book_fee, counter, made.id, 5_000, "bank") is True
    assert utility.transact("book", book_fee, counter, made.id, 5_000, "bank") is False
    assert rows(utility, requests, "state", "paid_at") == [("paid", NOW)]
    other = do(register, TEST)
    do(issue_voucher, other.tracking, 5_000)
    do(move, other.tracking, RequestState.CANCELLED)
    assert utility.transact("book", book_fee, counter, other.id, 5_000) is True
    assert rows(utility, requests, "state", "paid_at")[1] == ("cancelled", NOW)
    assert utility.transact("book", book_fee, counter, 12345, 5_000) is False


def test_a_fee_that_was_changed_while_somebody_paid_is_for_a_person(
    do: Do, utility: Database, counter: Counter
) -> None:
    """Neither is the request paid, nor the money forgotten."""
    made = do(register, TEST)
    do(issue_voucher, made.tracking, 5_000)
    do(issue_voucher, made.tracking, 7_000)
    assert utility.transact("book", book_fee, counter, made.id, 5_000) is True
    assert rows(utility, requests, "state", "paid_at") == [("voucher_issued", NOW)]
    assert rows(utility, request_history, "note")[-1] == ("۵٬۰۰۰ ریال پرداخت شد",)


def test_two_counters_at_once_never_give_the_same_number(
    utility: Database, counter: Counter
) -> None:
    """Whichever is first, the other waits; no number is given twice."""
    utility.transact("first", register, counter, TEST)
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda _: utility.transact("many", register, counter, TEST), range(12))
        )
    assert len({one.tracking for one in made}) == 12


def test_requests_are_found_by_what_is_known_of_them(do: Do, utility: Database) -> None:
    """The newest first; an office finds those that it may still edit."""
    test = do(register, TEST).tracking
    connection = do(register, CONNECTION, at=NOW + DAY).tracking
    complaint = do(register, NewRequest("complaint", text="بو", office="7"), at=NOW + 2 * DAY)
    do(move, complaint.tracking, RequestState.DONE)

    def found(**wanted: Any) -> list[str]:
        listed = utility.transact("list", list_requests, RequestFilter(**wanted))
        return [each.request.tracking for each in listed]

    assert found() == [complaint.tracking, connection, test]
    assert found(limit=1) == [complaint.tracking]
    assert found(kind="meter_test") == found(number="10000001") == found(mobile=MINE) == [test]
    assert found(state=RequestState.DONE) == found(office="7") == [complaint.tracking]
    assert found(editable=True, utility=UTILITY) == [connection, test]
    assert found(since=NOW + DAY, until=NOW + 2 * DAY) == [connection]
    assert found(utility="other") == []
