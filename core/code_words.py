"""What operators' codes mean, in English and Persian: refusals of submit_sm, errors of receipts.

Refusals are SMPP 3.4, 5.1.3. What a receipt's ``err`` says is each operator's own; those
that pass on what the network says use the numbers of MAP (3GPP TS 29.002), which are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Words(NamedTuple):
    """One meaning in both languages."""

    english: str
    persian: str


REFUSALS: Final[Mapping[int, Words]] = {
    0x01: Words("the message is too long", "طول پیام نادرست است"),
    0x02: Words("the request's length is wrong", "طول درخواست نادرست است"),
    0x03: Words("the request is not known to the operator", "درخواست برای اپراتور ناشناخته است"),
    0x04: Words("the bind is not up for this", "اتصال در وضعیت مناسب نیست"),
    0x06: Words("the priority is not valid", "اولویت نامعتبر است"),
    0x07: Words("receipts are not asked for in this way", "درخواست گزارش تحویل نامعتبر است"),
    0x08: Words("an error of the operator's system", "خطای سامانه اپراتور"),
    0x0A: Words("the operator does not take this line", "سرخط فرستنده نامعتبر است"),
    0x0B: Words("no such mobile number", "شماره گیرنده نامعتبر است"),
    0x0C: Words("the operator's message id is not valid", "شناسه پیام نامعتبر است"),
    0x0D: Words("the bind was refused", "اتصال پذیرفته نشد"),
    0x0E: Words("the password is wrong", "گذرواژه نادرست است"),
    0x0F: Words("the account is not known", "نام کاربری ناشناخته است"),
    0x11: Words("the message could not be cancelled", "لغو پیام ممکن نشد"),
    0x13: Words("the message could not be replaced", "جایگزینی پیام ممکن نشد"),
    0x14: Words("the operator's queue is full", "صف اپراتور پر است"),
    0x15: Words("the service type is not valid", "نوع سرویس نامعتبر است"),
    0x40: Words("the destination's flag is not valid", "نشانه گیرنده نامعتبر است"),
    0x42: Words("the submission is not valid for this message", "ارسال برای این پیام نامعتبر است"),
    0x43: Words("the esm_class is not valid", "رده پیام نامعتبر است"),
    0x45: Words("the operator did not take it", "اپراتور پیام را نپذیرفت"),
    0x48: Words("the kind of the line's number is not valid", "نوع شماره سرخط نامعتبر است"),
    0x49: Words("the plan of the line's number is not valid", "طرح شماره سرخط نامعتبر است"),
    0x50: Words("the kind of the mobile's number is not valid", "نوع شماره گیرنده نامعتبر است"),
    0x51: Words("the plan of the mobile's number is not valid", "طرح شماره گیرنده نامعتبر است"),
    0x53: Words("the system type is not valid", "نوع سامانه نامعتبر است"),
    0x58: Words("sent too fast", "سرعت ارسال بیش از حد مجاز است"),
    0x61: Words("the time of delivery is not valid", "زمان تحویل نامعتبر است"),
    0x62: Words("the validity is not valid", "مدت اعتبار نامعتبر است"),
    0x64: Words("the receiver's network cannot take it now", "خطای موقت شبکه گیرنده"),
    0x65: Words("the receiver's network does not take it", "خطای دائم شبکه گیرنده"),
    0x66: Words("the receiver's network refuses it", "شبکه گیرنده پیام را رد کرد"),
    0x67: Words("the operator's query failed", "پرس‌وجوی اپراتور ناموفق بود"),
    0xC0: Words("the optional parameters are malformed", "پارامترهای اختیاری نادرست است"),
    0xC1: Words("an optional parameter is not allowed", "پارامتر اختیاری مجاز نیست"),
    0xC2: Words("a parameter's length is wrong", "طول پارامتر نادرست است"),
    0xC3: Words("a parameter is missing", "یک پارامتر لازم نیامده است"),
    0xC4: Words("a parameter's value is not valid", "مقدار پارامتر نامعتبر است"),
    0xFE: Words("the delivery failed", "تحویل ناموفق بود"),
    0xFF: Words("an unknown error", "خطای ناشناخته"),
}
"""By command_status."""

RECEIPT_ERRORS: Final[Mapping[int, Words]] = {
    1: Words("the number is not in use", "شماره واگذار نشده است"),
    5: Words("the subscriber is not known to the network", "مشترک برای شبکه ناشناخته است"),
    6: Words("the mobile is switched off or out of reach", "تلفن خاموش یا خارج از دسترس است"),
    9: Words("the subscriber is not allowed in the network", "مشترک در شبکه مجاز نیست"),
    11: Words("the mobile has no text service", "سرویس پیامک برای این شماره فعال نیست"),
    12: Words("the handset is not allowed in the network", "گوشی در شبکه مجاز نیست"),
    13: Words("messages to this mobile are barred", "دریافت پیام برای این شماره مسدود است"),
    21: Words("the handset does not support it", "گوشی پشتیبانی نمی‌کند"),
    27: Words("the mobile is switched off or out of reach", "تلفن خاموش یا خارج از دسترس است"),
    31: Words("the mobile was busy", "تلفن گیرنده مشغول بود"),
    32: Words("the handset did not take it, its memory may be full", "حافظه گوشی پر است"),
    34: Words("an error of the network", "خطای شبکه"),
    35: Words("the network was missing data", "داده شبکه کامل نبود"),
    36: Words("the network got data that it did not expect", "داده نامنتظر در شبکه"),
}
"""By the number of a receipt's error; 0 says that there was none."""


def refusal_in_words(code: int) -> Words:
    """What a command_status means."""
    number = f"0x{code:02X}"
    known = REFUSALS.get(code)
    if known is None:
        return Words(f"the operator's code {number}", f"کد {number} اپراتور")
    return Words(f"{known.english} ({number})", f"{known.persian} ({number})")


def receipt_in_words(error: str) -> Words | None:
    """What the error of a receipt means; None where it says that there was none."""
    plain = error.strip()
    if not plain.strip("0"):
        return None
    known = RECEIPT_ERRORS.get(int(plain)) if plain.isdecimal() and plain.isascii() else None
    if known is None:
        return Words(f"the operator's error {plain}", f"خطای {plain} اپراتور")
    return Words(f"{known.english} ({plain})", f"{known.persian} ({plain})")
