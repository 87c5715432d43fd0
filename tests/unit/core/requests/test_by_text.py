"""Requests by text: what is registered, who may ask after it, and what it costs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from core import tracking
from core.calls import DONE, Argument, Call, Refusal
from core.database import Database
from core.ids import IdMaker
from core.requests.changes import announce_fee, issue_voucher, move
from core.requests.counter import Counter
from core.requests.states import RequestState
from core.secrecy import Keys
from core.tables import code_failures, request_history, requests
from tests.conftest import CountStatements
from tests.unit.core.requests.conftest import (
    DAY,
    MINE,
    NOW,
    STRANGER,
    TWO_HOUSES,
    UTILITY,
    Ask,
    happened,
    rows,
    shown,
    together,
)

RIGHT = {"number": "10000003", "code": "4321"}


# --- registering ------------------------------------------------------------------------


def test_a_request_is_stored_as_what_it_is_and_told_by_its_tracking_number(
    ask: Ask, utility: Database
) -> None:
    """Kind, text, whom it concerns and the message that brought it: not text in a log."""
    outcome = ask("register_request", MINE, kind="bill_review", text="قبض مرداد زیاد است")
    assert shown(outcome, "service", "state", "state_key", "number") == (
        DONE,
        "بررسی صورتحساب",
        "ثبت شده",
        "registered",
        "10000001",
    )
    assert tracking.check(str(outcome.facts["tracking"]))
    stored = rows(
        utility, requests, "tracking", "kind", "state", "subscriber_id", "mobile", "text",
        "source", "inbox_id", "created_at",
    )  # fmt: skip
    assert stored == [
        (outcome.facts["tracking"], "bill_review", "registered", 1, MINE, "قبض مرداد زیاد است",
         "sms", 99, NOW)
    ]  # fmt: skip
    assert rows(utility, request_history, "state", "by", "note") == [
        ("registered", "subscriber", "")
    ]


def test_registering_is_an_event_of_the_same_transaction(ask: Ask, utility: Database) -> None:
    """A template may tell the subscriber, with these facts."""
    outcome = ask("register_request", MINE, kind="bill_review", text="زیاد است")
    ((kind, subscriber_id, mobile, about),) = happened(utility)
    assert (kind, subscriber_id, mobile) == ("request_registered", 1, MINE)
    assert about["tracking"] == outcome.facts["tracking"]
    assert (about["service"], about["state"], about["number"]) == (
        "بررسی صورتحساب",
        "ثبت شده",
        "10000001",
    )


def test_a_request_about_a_subscription_needs_a_right_to_it(ask: Ask, utility: Database) -> None:
    """A stranger cannot have somebody's water cut off."""
    for said, refusal in (
        ({"number": "10000003"}, Refusal.CODE_NEEDED),
        ({"number": "10000003", "code": "0000"}, Refusal.NOT_RECOGNISED),
        ({}, Refusal.NOT_REGISTERED),
    ):
        assert ask("register_request", kind="bill_review", text="…", **said).kind == refusal
    assert rows(utility, requests, "id") == []
    assert happened(utility) == []


def test_a_complaint_is_taken_from_whoever_has_no_subscription(ask: Ask, utility: Database) -> None:
    """And from whoever names one without showing a right: it is then about none."""
    assert shown(ask("register_request", kind="complaint", text="بوی بد"), "number") == (DONE, "")
    named = ask("register_request", kind="complaint", text="فشار کم", number="10000003")
    assert shown(named, "number") == (DONE, "")
    own = ask("register_request", MINE, kind="complaint", text="فشار کم")
    assert shown(own, "number") == (DONE, "10000001")
    assert [row[0] for row in rows(utility, requests, "subscriber_id")] == [None, None, 1]


def test_a_wrong_code_counts_as_one_with_a_complaint_too(ask: Ask, utility: Database) -> None:
    """Complaining is no way to try codes."""
    said = {"number": "10000003", "code": "0000"}
    kinds = [
        ask("register_request", at=NOW + i, kind="complaint", text="…", **said).kind
        for i in range(5)
    ]
    assert kinds == [Refusal.NOT_RECOGNISED] * 4 + [Refusal.LOCKED_OUT]
    assert len(rows(utility, code_failures, "id")) == 5
    assert rows(utility, requests, "id") == []


def test_a_kind_that_needs_words_asks_for_them(ask: Ask, utility: Database) -> None:
    """Nothing is stored, and the answer names the service."""
    for said in ({}, {"text": ""}, {"text": "  \n "}):
        outcome = ask("register_request", kind="complaint", **said)
        assert shown(outcome, "service") == (Refusal.TEXT_NEEDED, "شکایت")
    assert rows(utility, requests, "id") == []


def test_a_text_of_two_thousand_characters_is_stored_whole(ask: Ask, utility: Database) -> None:
    """Nothing is cut, and what no database can store is replaced."""
    text = "آ" * 1999 + "\0"
    assert ask("register_request", kind="complaint", text=text).kind == DONE
    assert rows(utility, requests, "text") == [("آ" * 1999 + "\ufffd",)]


def test_a_kind_that_is_not_for_texts_is_a_fault_of_the_profile(ask: Ask) -> None:
    """The message is set aside for a person, as everything that fails is."""
    for kind in ("water_connection", "mid_bill", "unheard_of"):
        with pytest.raises(LookupError, match=kind):
            ask("register_request", MINE, kind=kind, text="…")


# --- asking for the same again ----------------------------------------------------------


def test_the_same_again_within_a_day_is_the_same_request(ask: Ask, utility: Database) -> None:
    """Whoever is impatient gets the first tracking number, and the office one case."""
    said = {"kind": "bill_review", "text": "زیاد است"}
    first = ask("register_request", MINE, **said)
    again = ask("register_request", MINE, at=NOW + DAY - 1, **said)
    assert again.facts["tracking"] == first.facts["tracking"]
    assert len(happened(utility)) == 1
    later = ask("register_request", MINE, at=NOW + DAY + 1, **said)
    assert later.facts["tracking"] != first.facts["tracking"]


def test_the_same_again_is_known_however_its_fields_were_written(
    ask: Ask, utility: Database
) -> None:
    """Those of a day ago may have been stored by the release before this one."""
    said = {"kind": "meter_number", "text": "87654321"}
    first = ask("register_request", MINE, **said)
    ((fields,),) = rows(utility, requests, "fields")
    spaced = json.dumps(json.loads(fields), sort_keys=True)
    assert spaced != fields
    utility.transact("before", lambda c: c.execute(update(requests).values(fields=spaced)))
    assert ask("register_request", MINE, **said).facts["tracking"] == first.facts["tracking"]


def test_another_kind_text_or_subscription_is_another_request(ask: Ask) -> None:
    """Only what is the same in all three is."""
    first = ask("register_request", MINE, kind="bill_review", text="زیاد است")
    for mobile, said in (
        (MINE, {"kind": "complaint", "text": "زیاد است"}),
        (MINE, {"kind": "bill_review", "text": "کم است"}),
        (STRANGER, {"kind": "bill_review", "text": "زیاد است", **RIGHT}),
    ):
        other = ask("register_request", mobile, **said)
        assert other.facts["tracking"] != first.facts["tracking"]


def test_two_strangers_with_the_same_complaint_are_two(ask: Ask) -> None:
    """Without a subscription it is the mobile that says whose it is."""
    one = ask("register_request", STRANGER, kind="complaint", text="بوی بد")
    two = ask("register_request", "989138888888", kind="complaint", text="بوی بد")
    assert one.facts["tracking"] != two.facts["tracking"]


def test_what_was_given_up_may_be_asked_for_again(
    ask: Ask, utility: Database, counter: Counter
) -> None:
    """A cancelled request is no answer to a new one."""
    first = str(ask("register_request", kind="complaint", text="بوی بد").facts["tracking"])
    utility.transact("cancel", move, counter, first, RequestState.CANCELLED)
    assert ask("register_request", kind="complaint", text="بوی بد").facts["tracking"] != first


def test_the_same_twice_in_one_batch_is_one_request(
    utility: Database, keys: Keys, ids: IdMaker
) -> None:
    """Both texts may wait together while the database is busy."""
    call = Call("register_request", {Argument.KIND: "complaint", Argument.TEXT: "بوی بد"})
    track = Call("track_request", {Argument.TRACKING: "10000004"})
    one, two, _ = together(
        utility, keys, ids, (STRANGER, NOW, call), (STRANGER, NOW + 5, call), (MINE, NOW, track)
    )
    assert one.facts["tracking"] == two.facts["tracking"]
    assert len(rows(utility, requests, "id")) == 1


# --- what is done at once -----------------------------------------------------------------


def test_a_bill_that_did_not_arrive_is_told_with_the_answer(ask: Ask) -> None:
    """The request is registered, and whoever wants to pay need not wait for it."""
    outcome = ask("register_request", MINE, kind="bill_not_received")
    assert shown(outcome, "debt", "due", "bill_id", "payment_id") == (
        DONE,
        200_000,
        date(2026, 10, 1),
        "2050327604613",
        "1070189",
    )
    other = ask("register_request", MINE, kind="bill_review", text="…")
    assert shown(other, "debt", "due", "bill_id") == (DONE, 0, "", "")


def test_a_meter_number_that_the_file_has_settles_itself(ask: Ask, utility: Database) -> None:
    """Zeros in front do not count; the follow-up number tells that it is done."""
    outcome = ask("register_request", MINE, kind="meter_number", meter_serial="561")
    assert shown(outcome, "state_key", "state") == (DONE, "done", "انجام شده")
    assert rows(utility, request_history, "state", "by") == [
        ("registered", "subscriber"),
        ("done", "peyk"),
    ]


def test_another_meter_number_waits_for_somebody_to_look(ask: Ask, utility: Database) -> None:
    """It is stored as a field, and does not pass for another subscription's name."""
    outcome = ask("register_request", MINE, kind="meter_number", meter_serial="00562")
    assert shown(outcome, "state_key", "number") == (DONE, "registered", "10000001")
    ((fields,),) = rows(utility, requests, "fields")
    assert json.loads(fields) == {"serial": "00562"}


def test_a_meter_number_may_stand_in_the_words(ask: Ask, utility: Database) -> None:
    """Typed with Persian digits in a sentence, or not at all."""
    ask("register_request", MINE, kind="meter_number", text="شماره کنتور من ۹۹۸۸۷ است")
    assert json.loads(rows(utility, requests, "fields")[0][0]) == {"serial": "99887"}
    none = ask("register_request", MINE, kind="meter_number", text="کنتور من عوض شده")
    assert none.kind == Refusal.TEXT_NEEDED


def test_a_fixed_fee_is_known_from_the_first_moment(ask: Ask) -> None:
    """The others' is not."""
    card = str(ask("register_request", MINE, kind="new_card").facts["tracking"])
    assert shown(ask("request_cost", tracking=card), "fee") == (DONE, 50_000)
    test = str(ask("register_request", MINE, kind="meter_test").facts["tracking"])
    assert shown(ask("request_cost", tracking=test), "service") == (
        Refusal.NO_FEE,
        "آزمایش کنتور",
    )


# --- asking after it ----------------------------------------------------------------------


def test_what_staff_wrote_is_told_to_those_it_concerns_and_to_no_stranger(
    ask: Ask, utility: Database, counter: Counter
) -> None:
    """The mobile that asked, one of the subscription's, and anybody with the number alone."""
    first = ask("register_request", STRANGER, kind="bill_review", text="زیاد است", **RIGHT)
    number = str(first.facts["tracking"])
    later = Counter(counter.utility, counter.services, counter.ids, "ali", NOW + DAY)
    utility.transact("move", move, later, number, RequestState.DONE, "خانم کریمی تماس بگیرد")
    found = ask("track_request", STRANGER, tracking=number)
    assert shown(found, "state", "note", "changed_at") == (
        DONE,
        "انجام شده",
        "خانم کریمی تماس بگیرد",
        datetime.fromtimestamp((NOW + DAY) / 1000, UTC),
    )
    assert shown(ask("track_request", MINE, tracking=number), "state", "note") == (
        DONE,
        "انجام شده",
        "",
    )
    utility.transact("own", lambda c: c.execute(update(requests).values(subscriber_id=1)))
    for mobile in (MINE, TWO_HOUSES):
        assert ask("track_request", mobile, tracking=number).facts["note"]


def test_a_number_that_no_request_has_is_unknown(ask: Ask) -> None:
    """Whatever is wrong with it."""
    for number in ("10000004", "99999999", "1", "abc"):
        for operation in ("track_request", "request_cost"):
            assert ask(operation, tracking=number).kind == Refusal.UNKNOWN_TRACKING


def test_another_utilitys_request_is_unknown(ask: Ask, utility: Database) -> None:
    """Utilities count for themselves: the same number may be two requests."""
    number = str(ask("register_request", kind="complaint", text="…").facts["tracking"])
    utility.transact("move", lambda c: c.execute(update(requests).values(utility="other")))
    assert ask("track_request", tracking=number).kind == Refusal.UNKNOWN_TRACKING


def test_the_cost_comes_with_what_it_is_paid_by(
    ask: Ask, utility: Database, counter: Counter
) -> None:
    """Account, bill ID and payment ID, once the voucher is issued (annex 2, pattern 10)."""
    number = str(ask("register_request", MINE, kind="meter_test").facts["tracking"])
    utility.transact("announce", announce_fee, counter, number, 120_000)
    assert shown(ask("request_cost", tracking=number), "fee", "bill_id") == (DONE, 120_000, "")
    voucher = utility.transact("voucher", issue_voucher, counter, number)
    names = ("fee", "account", "bill_id", "payment_id")
    assert shown(ask("request_cost", tracking=number), *names) == (
        DONE,
        120_000,
        "IR1200",
        voucher.bill_id,
        voucher.payment_id,
    )
    utility.transact("pay", move, counter, number, RequestState.PAID)
    paid = ask("request_cost", tracking=number)
    gone = ("account", "bill_id", "payment_id")
    assert shown(paid, "state_key", *gone) == (DONE, "paid", "", "", "")


def test_nobody_is_told_where_to_pay_for_what_was_given_up(
    ask: Ask, utility: Database, counter: Counter
) -> None:
    """The fee of a cancelled request stays known; account and IDs are told no more."""
    number = str(ask("register_request", MINE, kind="meter_test").facts["tracking"])
    utility.transact("voucher", issue_voucher, counter, number, 120_000)
    utility.transact("cancel", move, counter, number, RequestState.CANCELLED)
    told = ask("request_cost", tracking=number)
    gone = ("account", "bill_id", "payment_id")
    assert shown(told, "fee", "state_key", *gone) == (DONE, 120_000, "cancelled", "", "", "")


# --- the batch ----------------------------------------------------------------------------


def test_the_number_of_statements_does_not_grow_with_the_batch(
    utility: Database, keys: Keys, ids: IdMaker, count_statements: CountStatements
) -> None:
    """One request or forty: the same statements."""
    together(utility, keys, ids, (MINE, NOW, _complaint(999)))  # the sequence's first

    def count(size: int) -> int:
        with count_statements(utility) as counted:
            together(utility, keys, ids, *((MINE, NOW, _complaint(i)) for i in range(size)))
        return counted.total

    one = count(1)
    assert count(40) <= one


def _complaint(i: int) -> Call:
    said = {Argument.KIND: "complaint", Argument.TEXT: f"شکایت {i}", Argument.NUMBER: "10000001"}
    return Call("register_request", said)


def test_the_same_number_is_never_given_twice(utility: Database, keys: Keys, ids: IdMaker) -> None:
    """Within a batch and from batch to batch."""
    for batch in range(3):
        calls = [(MINE, NOW, _complaint(10 * batch + i)) for i in range(5)]
        together(utility, keys, ids, *calls)
    found = [row[0] for row in rows(utility, requests, "tracking")]
    assert len(found) == len(set(found)) == 15
    assert {row[0] for row in rows(utility, requests, "utility")} == {UTILITY}
