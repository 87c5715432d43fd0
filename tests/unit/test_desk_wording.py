"""What pages about messages say and hide."""

from __future__ import annotations

from core.attempts import Attempt
from core.calls import Argument
from core.dialogues.types import Event
from core.outbox import Result, State
from gateway.web.desk.boxes import operations
from gateway.web.desk.inbox import HANDLED, OUTCOMES, STATES
from gateway.web.desk.texts import Texts
from gateway.web.desk.wording import said, veiled


def test_whatever_the_data_has_as_a_key_has_words() -> None:
    """Keys that templates put together: an upgrade that adds one fails here."""
    texts = Texts()
    keys = {f"box.op.{name}" for name in operations()}
    keys |= {f"box.outcome.{kind}" for kind in OUTCOMES}
    keys |= {f"box.state.{state}" for state in STATES}
    keys |= {f"inbox.handled_{how}" for how in HANDLED}
    keys |= {f"box.argument.{name}" for name in Argument}
    keys |= {f"box.event.{event}" for event in Event if event is not Event.OUTCOME}
    ended = {State.DELIVERED, State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.SUPPRESSED}
    keys |= {f"box.attempt.{result}" for result in (*Result, *ended, State.UNCERTAIN)}
    keys |= {f"box.verb.{verb}" for verb in ("add", "change", "delete")}
    assert sorted(key for key in keys if not texts.has(key)) == []
    assert "result" in Attempt._fields


def test_texts_are_veiled_and_turn_nothing_round() -> None:
    """Figures in any digits and the names that are known; short codes and dates stay."""
    text = "علی رضایی، اشتراک ۱۰۰۰۰۰۰۱ بدهی ۱٬۲۵۰٬۰۰۰ ریال مهلت ۱۴۰۵/۰۸/۰۴ کد 010 همراه 0913-123-45"
    shown = veiled(text, ["علی رضایی"])
    assert shown == "ع*** ر***، اشتراک *** بدهی *** ریال مهلت ۱۴۰۵/۰۸/۰۴ کد 010 همراه ***"
    assert said(text, ["علی رضایی"], whole=True) == text
    assert said("a\u202eb\u2066c\x1b[31m\nd", whole=True) == "a\ufffdb\ufffdc\ufffd[31m\nd"
    assert said(None) == ""
    link = "پرداخت: https://pay.example.ir/p/5agc8jdssz6ir\nیا *1522#"
    assert said(link) == "پرداخت: https://pay.example.ir/***\nیا *1522#"
    assert said(link, whole=True) == link
