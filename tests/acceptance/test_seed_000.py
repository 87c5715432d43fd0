"""Seed 000, Lorestan water: annex 2's patterns and annex 1's services, by text."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import pytest_twisted

from core.identifiers import make_bill_id
from core.jalali import TEHRAN, jalali
from core.text import ascii_digits, group, persian_digits
from tests.acceptance.conftest import Daemon, Operator
from tests.acceptance.utilities import (
    LORESTAN,
    STRANGER,
    last_bill,
    let_tell,
    rows,
    tracking_in,
    utilities,
)
from tests.waiting import until

__all__ = ["utilities"]

OWN = "20000001 4321"
UTILITY = ("--utility", "lorestan-water")
BILL_ID = make_bill_id("20000001", "061", "1")


@pytest_twisted.ensureDeferred
async def test_annex_2_patterns_1_to_4(operator: Operator, utilities: Daemon) -> None:
    """The guide; the last bill; the last payment and debt; registering a mobile."""
    guide = await operator.ask(STRANGER, "راهنما", LORESTAN)
    assert guide.startswith("قبض، بدهی، مصرف")
    bill = last_bill(utilities, "lorestan-water")
    told = await operator.ask(STRANGER, f"قبض {OWN}", LORESTAN)
    assert persian_digits(bill.bill_id) in told
    assert persian_digits(bill.payment_id) in told
    assert await operator.ask(STRANGER, f"202 {OWN}", LORESTAN) == told
    paid = await operator.ask(STRANGER, f"پرداخت {OWN}", LORESTAN)
    assert paid.startswith("آخرین پرداخت اشتراک ۲۰۰۰۰۰۰۱:")
    assert f"بدهی: {group(bill.payable)} ریال" in paid

    assert "رمز رایانه" in await operator.ask(STRANGER, "202", LORESTAN)
    done = await operator.ask(STRANGER, f"ثبت همراه {OWN}", LORESTAN)
    assert "ثبت شد" in done
    assert await operator.ask(STRANGER, "202", LORESTAN) == told, "it need not say who it is now"
    again = await operator.ask("989134444444", f"204 {OWN}", LORESTAN)
    assert "همین پیام را دوباره بفرستید" in again
    assert "ثبت شد" in await operator.ask("989134444444", f"204 {OWN}", LORESTAN)
    mobiles = await operator.ask(STRANGER, "همراه‌ها", LORESTAN)
    assert "۰۹۱۳***۴۵۶۷" in mobiles
    assert "حذف شد" in await operator.ask(STRANGER, "حذف همراه 09134444444", LORESTAN)


@pytest_twisted.ensureDeferred
async def test_annex_2_patterns_5_to_9(operator: Operator, utilities: Daemon) -> None:
    """Each is stored as what it is, with a tracking number and its automatic operation."""
    bill = last_bill(utilities, "lorestan-water")
    texts = {
        "address_correction": f"نشانی {OWN} خرم‌آباد، خیابان ناصرخسرو، پلاک ۷",
        "bill_not_received": f"قبض نرسید {OWN}",
        "meter_not_read": f"207 {OWN}",
        "reader_complaint": "شکایت از مامور: پشت در نماند",
        "meter_number": f"شماره کنتور {OWN} {bill.meter_serial}",
    }
    answers = {kind: await operator.ask(STRANGER, text, LORESTAN) for kind, text in texts.items()}
    stored = rows(utilities, "SELECT kind, state, tracking, subscriber_id FROM requests")
    assert {row.kind: row.state for row in stored} == {
        **dict.fromkeys(texts, "registered"),
        "meter_number": "done",  # it is the one that the utility knows
    }
    for row in stored:
        assert row.tracking in ascii_digits(answers[row.kind])
        assert (row.subscriber_id is None) == (row.kind == "reader_complaint")
    assert f"بدهی {group(bill.payable)} ریال" in answers["bill_not_received"]


@pytest_twisted.ensureDeferred
async def test_annex_1_services(operator: Operator, utilities: Daemon) -> None:
    """What needs no document is asked for by text; all are followed and priced by number."""
    for number, kind in {
        310: "meter_relocation", 311: "meter_test", 312: "meter_replacement",
        313: "extra_siphon", 314: "temporary_disconnection", 315: "reconnection",
        317: "bill_review", 321: "complaint", 322: "suggestion", 323: "criticism",
    }.items():  # fmt: skip
        asked = await operator.ask(STRANGER, f"{number} {OWN} به این دلیل", LORESTAN)
        (row,) = rows(utilities, "SELECT * FROM requests WHERE kind = :kind", kind=kind)
        assert row.text == "به این دلیل"
        assert row.tracking in ascii_digits(asked)
        followed = await operator.ask(STRANGER, f"پیگیری {row.tracking}", LORESTAN)
        assert "ثبت شده" in followed
        cost = await operator.ask(STRANGER, f"هزینه {row.tracking}", LORESTAN)
        assert row.tracking in ascii_digits(cost)


@pytest_twisted.ensureDeferred
async def test_annex_1_a_fee_and_its_voucher(operator: Operator, utilities: Daemon) -> None:
    """Once the counter has issued the voucher, the cost comes with account, IDs and amount."""
    asked = await operator.ask(STRANGER, f"سیفون {OWN}", LORESTAN)
    tracking = tracking_in(asked)
    priced = await utilities.peyk("request", "fee", tracking, "2500000")
    assert priced.returncode == 0, priced.stderr
    (row,) = rows(utilities, "SELECT * FROM requests WHERE tracking = :t", t=tracking)
    cost = await operator.ask(STRANGER, f"هزینه {tracking}", LORESTAN)
    assert "۲٬۵۰۰٬۰۰۰ ریال" in cost
    assert persian_digits(row.bill_id) in cost
    assert persian_digits(row.payment_id) in cost
    paying = await operator.ask(STRANGER, f"{row.bill_id} {row.payment_id}", LORESTAN)
    assert "پرداخت ۲٬۵۰۰٬۰۰۰ ریال" in paying


@pytest_twisted.ensureDeferred
async def test_annex_1_bills_readings_and_records(operator: Operator, utilities: Daemon) -> None:
    """Mid-period bill, quick calculation, reading, records, instalments, paying."""
    bill = last_bill(utilities, "lorestan-water")
    reading = bill.to_reading + 9
    told = await operator.ask(STRANGER, f"محاسبه {OWN} {reading}", LORESTAN)
    assert told.endswith("ثبت نشد.")
    assert last_bill(utilities, "lorestan-water").id == bill.id
    booked = await operator.ask(STRANGER, f"اعلام کارکرد {OWN} {reading}", LORESTAN)
    assert "ثبت شد" in booked
    code = OWN.split()[1]
    again = await operator.ask(STRANGER, f"کارکرد {bill.own_bill_id} {code} {reading}", LORESTAN)
    assert "ثبت شد" in again
    made = await operator.ask(STRANGER, f"میان دوره {OWN} {reading}", LORESTAN)
    new = last_bill(utilities, "lorestan-water")
    assert (new.kind, new.to_reading) == ("mid_period", reading)
    assert persian_digits(new.bill_id) in made
    for command in ("مصرف", "سوابق قبض", "سوابق پرداخت"):
        assert "/" in await operator.ask(STRANGER, f"{command} {OWN}", LORESTAN)
    left = await operator.ask("989132222222", "اقساط 20000005", LORESTAN)
    assert left.startswith("۵ قسط ۲۰۰۰۰۰۰۵")
    pay = await operator.ask(STRANGER, f"پرداخت بدهی {OWN}", LORESTAN)
    assert pay.startswith("پرداخت ")


@pytest_twisted.ensureDeferred
async def test_annex_2_patterns_10_to_14(
    operator: Operator, utilities: Daemon, tmp_path: Path
) -> None:
    """What is registered at a counter, priced, decided on, or billed is told by itself, once."""
    peyk, told = utilities.peyk, partial(operator.answers_to, STRANGER)
    await operator.ask(STRANGER, f"ثبت همراه {OWN}", LORESTAN)
    await operator.ask(STRANGER, f"ثبت همراه {OWN}", LORESTAN)
    await let_tell(
        utilities, "lorestan-water", "voucher_issued", "contract_correction", "bill_cancellation",
        "bill_cancellation_state", "bill_issued", "payment_receipt",
    )  # fmt: skip
    operator.messages.clear()
    for kind, *fields in (
        ("contract_correction",), ("bill_cancellation", "--field", f"bill_id={BILL_ID}"),
    ):  # fmt: skip
        given = ("--number", "20000001", "--mobile", STRANGER, "--office", "12", "--text", "…")
        made = await peyk("request", "new", kind, *UTILITY, *given, *fields)
        assert made.returncode == 0, made.stderr
    await until(lambda: len(told()) == 2, "both requests are told of")
    correction, cancellation = (ascii_digits(one).split()[-1] for one in told())
    assert "تصحیح قرارداد" in told()[0]
    assert "ابطال صورتحساب" in told()[1]

    priced = await peyk("request", "fee", correction, "1250000", "--account", "0101")
    assert priced.returncode == 0, priced.stderr
    moved = await peyk("request", "state", cancellation, "in_review", "--note", "ارجاع شد")
    assert moved.returncode == 0, moved.stderr
    # Capability 3: several templates at once on one event.
    words = "قبض دیگر {{ number|fa }}"
    added = await peyk(
        "template", "add", "second", *UTILITY, "--on", "bill_issued", "--body", words
    )
    assert added.returncode == 0, added.stderr
    await let_tell(utilities, "lorestan-water", "second")
    file = tmp_path / "bills.csv"
    file.write_text(
        "number,period,amount,payable,to_date,used\n"
        f"20000001,تازه,800000,900000,{jalali(datetime.now(TEHRAN).date())},17\n"
    )
    for _ in range(2):
        taken = await peyk("import", "bills", str(file), *UTILITY)
        assert taken.returncode == 0, taken.stderr
    await until(lambda: len(told()) == 6, "the voucher, the decision and the bill are told")
    everything = "\n".join(told())
    for word in ("۱٬۲۵۰٬۰۰۰", "حساب ۰۱۰۱", "ارجاع شد", "مصرف ۱۷", "۹۰۰٬۰۰۰", "قبض دیگر"):
        assert word in everything, everything
    health = await utilities.health()
    assert health["scheduler"]["leads"]
    assert (health["scheduler"]["set_aside"], len(told())) == (0, 6)
