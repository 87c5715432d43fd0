"""What passes between understanding a subscriber and answering one.

``gateway`` turns what was typed or dialled into candidates for a ``Call``; ``core``
picks the one that its data supports, runs the operation, and says what came of it as an
``Outcome``: facts, or a refusal. Words are not made here: a profile's replies are chosen
by operation and outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

Scalar = str | int | bool | date | datetime
Fact = Scalar | tuple[Mapping[str, Scalar], ...]
"""What a reply can be filled with. Money is integer rial, instants are UTC.

A tuple is a list of rows (a history, say): a reply shows as many as fit a message."""

DONE = "done"
"""The kind of an outcome that is not a refusal."""


class Argument(StrEnum):
    """What a subscriber can say in a message, and what an operation can ask for."""

    NUMBER = "number"
    """Subscription number (شماره اشتراک), ASCII digits."""
    CODE = "code"
    """The subscriber's secret code (رمز رایانه), ASCII digits."""
    READING = "reading"
    """What the meter shows, ASCII digits, leading zeros kept."""
    BILL_ID = "bill_id"
    """شناسه قبض, its check digit already verified."""
    PAYMENT_ID = "payment_id"
    """شناسه پرداخت, its check digits already verified."""
    METER_SERIAL = "meter_serial"
    """شماره سریال کنتور, ASCII digits."""
    YEAR = "year"
    """A Jalali year of four digits: from when on."""
    START = "start"
    """Which row of a list to begin with, counted from one."""
    TRACKING = "tracking"
    """شماره پیگیری, its check digit already verified."""
    MOBILE = "mobile"
    """Another mobile than the one that asks, E.164 digits."""
    KIND = "kind"
    """A kind of request. Never typed: a profile's pattern gives it."""
    TOPIC = "topic"
    """A kind of the utility's own messages. Never typed: a profile's pattern gives it."""
    TEXT = "text"
    """Free text at the end of the message, as the subscriber wrote it."""


class Call(NamedTuple):
    """One operation and what it is to work on."""

    operation: str
    """A name in ``core.operations.REGISTRY``."""
    arguments: Mapping[Argument, str]


class Candidate(NamedTuple):
    """One way to read a message that its form allows."""

    call: Call
    masked: str
    """The message's text with every digit of the secret code replaced: what is stored."""


class Misreading(StrEnum):
    """Why a text names no call."""

    EMPTY = "empty"
    """Nothing but blanks and marks."""
    UNKNOWN_CODE = "unknown_code"
    """No command code or keyword of this line."""
    WRONG_FORMAT = "wrong_format"
    """The code is known, its fields are missing, too many, or of the wrong length."""
    BAD_CHECK_DIGIT = "bad_check_digit"
    """A field has the shape of an identifier and its check digit is wrong."""
    INCOMPLETE = "incomplete"
    """Some parts of a long message never came."""
    AMBIGUOUS = "ambiguous"
    """More than one reading of the message is valid; none is guessed."""


class Problem(NamedTuple):
    """Why a message was not understood, with what the answer needs to say so."""

    kind: Misreading
    facts: Mapping[str, Fact]
    """``code`` the command as published, ``format`` how to write it, ``wrong`` what was wrong."""


class Understanding(NamedTuple):
    """All that the form of a message says, before any data is looked at."""

    candidates: tuple[Candidate, ...]
    """In the order in which the profile publishes its patterns; empty with a problem."""
    problem: Problem | None
    """Set when there is no candidate, or to be used when the data supports several."""
    masked: str
    """The text to store when no candidate is chosen."""
    language: str = ""
    """The language to answer in, ``""`` for the utility's own: see ``Mind.reply``."""


class Refusal(StrEnum):
    """The closed set of reasons for which an operation says no."""

    NOT_RECOGNISED = "not_recognised"
    """No such subscription, or a wrong code: the answer never says which."""
    LOCKED_OUT = "locked_out"
    """Too many wrong codes from this mobile or for this subscription."""
    NOT_REGISTERED = "not_registered"
    """The number was left out, and the mobile is registered to no subscription."""
    WHICH_SUBSCRIPTION = "which_subscription"
    """The number was left out, and the mobile is registered to several."""
    CODE_NEEDED = "code_needed"
    """The number was given without its code by a mobile not registered to it."""
    NO_BILL = "no_bill"
    """Nothing has been billed yet."""
    READING_TOO_LONG = "reading_too_long"
    """More digits than the meter shows."""
    READING_BELOW_LAST = "reading_below_last"
    """Less than the last reading, and not a meter that rolled over."""
    CONFIRM_READING = "confirm_reading"
    """Implausibly much since the last reading: the same text again confirms it."""
    NOT_SUBSCRIBED = "not_subscribed"
    """Asked to stop what was never started."""
    NO_PAYMENT = "no_payment"
    """Nothing has been paid yet."""
    NO_HISTORY = "no_history"
    """Nothing in the time that was asked for."""
    NO_INSTALMENTS = "no_instalments"
    NO_MORE = "no_more"
    """A list ends before the row that was asked for."""
    NO_TARIFF = "no_tariff"
    """This utility's bills are not computed here."""
    UNKNOWN_TRACKING = "unknown_tracking"
    """No request has this tracking number, or it is not for this mobile to see."""
    NO_FEE = "no_fee"
    """The request costs nothing, or its fee is not known yet."""
    TEXT_NEEDED = "text_needed"
    """The operation needs words after the code, and there were none."""
    CONFIRM_MOBILE = "confirm_mobile"
    """The subscription has a mobile already: the same text again adds this one."""
    ALREADY_REGISTERED = "already_registered"
    NOTHING_TO_PAY = "nothing_to_pay"
    UNKNOWN_BILL = "unknown_bill"
    """The pair of bill ID and payment ID is valid and is none of this utility's."""
    FAILED = "failed"
    """The message could not be worked on; it is kept for a person to look at."""


class Outcome(NamedTuple):
    """What came of a message."""

    operation: str
    """The operation's name, or ``misread`` for a text that names none."""
    kind: str
    """``done``, a ``Refusal`` or a ``Misreading``."""
    facts: Mapping[str, Fact]


MISREAD = "misread"
"""The operation of an outcome that comes from a ``Problem``."""
