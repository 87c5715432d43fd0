"""The counter services of Lorestan (seed 000, annex 1): each kind as ``services.toml`` ships it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from core import tracking as numbers
from core.ids import IdMaker
from core.requests.changes import edit
from core.requests.counter import Counter, NewRequest, RequestError, register
from core.requests.kinds import Door, FieldType, RequestField, Words
from core.tables import events, requests
from core.text import ascii_digits
from gateway.services import load_services
from tests.talking import PROFILES, Talk

SERVICES = load_services(PROFILES / "lorestan-water")
BY_COUNTER = sorted(key for key, kind in SERVICES.kinds.items() if Door.COUNTER in kind.doors)
SAMPLES = {
    FieldType.TEXT: "خرم‌آباد",
    FieldType.NUMBER: "2",
    FieldType.NATIONAL_CODE: "0499370899",
    FieldType.MOBILE: "09131234567",
    FieldType.SUBSCRIPTION: "20000003",
    FieldType.READING: "1520",
    FieldType.METER_SERIAL: "500001",
    FieldType.BILL_ID: "2050327604613",
    FieldType.DATE: "1404/05/03",
}


def sample_of(field: RequestField) -> str:
    """A right value for a field."""
    return field.choices[0] if field.type is FieldType.CHOICE else SAMPLES[field.type]


@pytest.mark.parametrize("key", BY_COUNTER)
def test_every_counter_service_is_registered_and_followed_by_text(
    talk: Callable[[str], Talk], key: str
) -> None:
    """With its fields filled it gets a number, an event, and an answer to whoever asks."""
    line = talk("lorestan-water")
    kind = SERVICES.kinds[key]
    new = NewRequest(
        key,
        number="" if kind.about.value == "none" else line.number(1),
        mobile="09131234567",
        fields={field.name: sample_of(field) for field in kind.fields},
        text="" if kind.words is Words.NONE else "شرح آن",
        office="office-7",
    )

    def work(connection: Connection) -> str:
        counter = Counter(
            "lorestan-water", SERVICES, IdMaker(0, lambda: line.now), "clerk", line.now
        )
        return register(connection, counter, new).tracking

    tracking = line.database.transact("test", work)
    assert numbers.check(tracking)
    assert line.rows(requests)[-1].kind == key
    assert line.rows(events)[-1].kind == "request_registered"
    followed = ascii_digits(line.ask(f"پیگیری {tracking}"))
    assert tracking in followed
    assert "ثبت شده" in followed


@pytest.mark.parametrize("day", ["1505/01/01", "1299/12/29"])
def test_no_letter_is_of_a_day_to_come_or_of_another_century(
    talk: Callable[[str], Talk], day: str
) -> None:
    """A notary's letter (000 annex 1 service 3): neither registered nor edited so."""
    line = talk("lorestan-water")
    counter = Counter("lorestan-water", SERVICES, IdMaker(0, lambda: line.now), "clerk", line.now)
    kind = SERVICES.kinds["inquiry"]
    right = {field.name: sample_of(field) for field in kind.fields}
    new = NewRequest("inquiry", number=line.number(1), fields=right, office="office-7")
    wrong = new._replace(fields={**right, "letter_date": day})
    with pytest.raises(RequestError, match="none of the days up to today") as raised:
        line.database.transact("test", register, counter, wrong)
    assert raised.value.place == "fields.letter_date"
    assert line.rows(requests) == []
    tracking = line.database.transact("test", register, counter, new).tracking
    with pytest.raises(RequestError, match="none of the days up to today"):
        line.database.transact("test", edit, counter, tracking, {"letter_date": day})
