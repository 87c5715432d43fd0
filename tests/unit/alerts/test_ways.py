"""How people are told: by mail and webhook on real sockets, by SMS over a bind that is up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from pydantic import SecretStr, ValidationError
from twisted.internet import reactor as _reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from core.alerts import Alert
from gateway.alerts.mail import EmailWay, as_mail
from gateway.alerts.telling import NotTold, Telling
from gateway.alerts.texts import SmsWay
from gateway.alerts.webhook import WebhookWay
from gateway.configuration import ConfigError
from gateway.messages import SendResult, SendStatus
from gateway.outbound import Sender, SenderSettings
from gateway.settings.alerts import AlertSettings, EmailSettings, WebhookSettings, check_alerts
from gateway.signed_posts import signature
from gateway.smpp.text import split
from tests.listeners import Address, MailServer
from tests.unit.test_outbound import Line

reactor: Any = _reactor
NOW = 1_790_000_000_000
ALERT = Alert(7, "bind_down:main", "bind main is down", "اتصال main قطع است", NOW, None, None, None)
OPEN = Telling(ALERT, is_end=False)
ENDED = Telling(ALERT._replace(ended_at=NOW + 5000), is_end=True)
SECRET = "a secret of enough letters"


def _email(server: MailServer, **settings: Any) -> EmailWay:
    said = {"host": "127.0.0.1", "port": server.port, "encryption": "none", "timeout": 5}
    who = {"sender": "peyk@example.ir", "to": ["ops@example.ir", "boss@example.ir"]}
    return EmailWay(EmailSettings.model_validate({**said, **who, **settings}), deferToThread)


@pytest_twisted.ensureDeferred
async def test_a_mail_is_told_in_both_languages() -> None:
    """With a password where one is set; the same thing has the same Message-ID."""
    server = MailServer(password="geheim")
    await _email(server, username="peyk", password="geheim").tell(OPEN)
    with pytest.raises(NotTold, match="535"):
        await _email(server, username="peyk", password="wrong").tell(OPEN)
    await server.stop()
    mail, _the_same = server.mails
    assert mail["Subject"] == "[Peyk] ALERT: bind main is down"
    assert mail["To"] == "ops@example.ir, boss@example.ir"
    text = mail.get_content()
    assert "اتصال main قطع است" in text
    assert "1405/06/30 17:43" in text
    assert mail["Message-ID"] == "<7-open@example.ir>"


@pytest_twisted.ensureDeferred
async def test_a_mail_that_cannot_be_given_is_said_to_be_so() -> None:
    """Nobody there, a receiver that is refused, a server that cannot encrypt."""
    server = MailServer()
    server.refuses.add("boss@example.ir")
    with pytest.raises(NotTold, match=r"refuses boss@example\.ir"):
        await _email(server).tell(OPEN)
    with pytest.raises(NotTold, match="STARTTLS"):
        await _email(server, encryption="starttls").tell(OPEN)
    await server.stop()
    with pytest.raises(NotTold, match="refused"):
        await _email(server).tell(OPEN)


def test_what_others_write_cannot_add_headers() -> None:
    """An error with a line end in it stays in its line."""
    evil = ALERT._replace(english="down: x\r\nBcc: all@example.ir")
    settings = EmailSettings(host="h", sender="a@b.ir", to=("c@d.ir",))
    with pytest.raises(ValueError, match=r"linefeed|newline|header"):
        as_mail(settings, Telling(evil, is_end=False))


@pytest_twisted.ensureDeferred
async def test_a_webhook_is_signed() -> None:
    """The receiver computes the same, and knows one thing told twice by its id."""
    address = Address()
    settings = WebhookSettings(url=address.url, secret=SecretStr(SECRET))
    way = WebhookWay(settings, reactor, lambda: NOW)
    await way.tell(OPEN)
    await way.tell(ENDED)
    address.codes = [500]
    with pytest.raises(NotTold, match="answers 500"):
        await way.tell(OPEN)
    await address.stop()
    with pytest.raises(NotTold):
        await way.tell(OPEN)
    first, second = address.posted
    stamp = first.headers["x-peyk-timestamp"]
    assert stamp == str(NOW // 1000)
    assert first.headers["x-peyk-signature"] == signature(SECRET, stamp, first.body)
    told = json.loads(first.body)
    assert (told["id"], told["state"], told["kind"], told["about"]) == (
        ("7-open", "open", "bind_down", "main")
    )
    assert json.loads(second.body)["english"] == "bind main is up again"


# --- SMS --------------------------------------------------------------------------------


class Rig:
    """A line over two binds, the first of which is down unless it is said otherwise."""

    def __init__(self, *up: str, language: str = "fa") -> None:
        self.lines = {name: Line() for name in up}
        self.senders = {
            name: Sender(
                SenderSettings(name, name, 10, 0, receipts=True), Clock(), lambda *_about: None
            )
            for name in ("main", "spare")
        }
        for name, line in self.lines.items():
            self.senders[name].bound(line)
        settings = AlertSettings.model_validate(
            {"mobiles": ["09131234567", "0912 222 2222"], "line": "100034122", "language": language}
        )
        ids = iter(range(1, 1000))
        self.way = SmsWay(
            settings,
            self.senders,
            ("main", "spare"),
            split,
            lambda n: [next(ids) for _ in range(n)],
        )

    def answer(self, bind: str, status: SendStatus) -> None:
        """The operator answers all that it was given."""
        results = [SendResult(sms.id, status, "s", 0) for sms in self.lines[bind].submitted]
        self.lines[bind].submitted.clear()
        self.senders[bind].sent(results)


def test_an_alert_goes_out_over_another_bind_than_the_one_in_trouble() -> None:
    """At once, to every mobile, past the outbox; long words in parts."""
    rig = Rig("main", "spare")
    done = rig.way.tell(OPEN)
    assert not rig.lines["main"].submitted
    sent = rig.lines["spare"].submitted
    assert [sms.destination for sms in sent] == ["989131234567", "989122222222"]
    assert {sms.text for sms in sent} == {"اتصال main قطع است"}
    rig.answer("spare", SendStatus.ACCEPTED)
    assert done.called
    long = OPEN._replace(alert=ALERT._replace(persian="ب" * 100))
    rig.way.tell(long)
    parts = [sms.part for sms in rig.lines["spare"].submitted]
    assert [(part.total, part.number) for part in parts if part] == [(2, 1), (2, 2)] * 2


def test_an_alert_is_tried_again_until_an_operator_takes_it() -> None:
    """No bind is up; it is throttled; then it may have gone out, and is not repeated."""
    with pytest.raises(NotTold, match="no bind of line 100034122 is up"):
        Rig().way.tell(OPEN)
    rig, failures = Rig("main", language="en"), list[str]()
    done = rig.way.tell(OPEN)
    assert rig.lines["main"].submitted[0].text == "bind main is down"
    done.addErrback(lambda failure: failures.append(failure.getErrorMessage()))
    rig.answer("main", SendStatus.THROTTLED)
    assert failures == ["the operator does not take it for now"]
    for status in (SendStatus.UNCERTAIN, SendStatus.PERMANENT):
        done = rig.way.tell(OPEN)
        rig.answer("main", status)
        assert done.called


# --- settings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mobiles": ["12"]}, "'12' is no mobile number"),
        ({"failures": 1.5}, "failures"),
        ({"email": {"host": "h", "sender": "ops", "to": ["a@b.ir"]}}, "is no e-mail address"),
        ({"email": {"host": "h", "sender": "a@b.ir", "to": []}}, "to"),
        (
            {"email": {"host": "h", "sender": "a@b.ir", "to": ["a@b.ir"], "username": "u"}
             | {"encryption": "none"}},
            "the password would go in clear",
        ),
        ({"webhook": {"url": "http://example.ir/x", "secret": SECRET}}, "is not encrypted"),
        ({"webhook": {"url": "https://example.ir/x", "secret": "short"}}, "at least 16"),
    ],
)  # fmt: skip
def test_each_mistake_in_the_settings_is_told(settings: dict[str, Any], told: str) -> None:
    """And no secret with it."""
    with pytest.raises(ValidationError) as caught:
        AlertSettings.model_validate(settings)
    assert told in str(caught.value)


def test_mobiles_are_texted_from_a_line_that_can_send() -> None:
    """The nearest one is named."""
    alerts = AlertSettings.model_validate({"mobiles": ["09131234567"]})
    file = Path("peyk.toml")
    with pytest.raises(ConfigError, match=r"alerts\.line"):
        check_alerts(file, alerts, {})
    wrong = alerts.model_copy(update={"line": "100034123"})
    with pytest.raises(ConfigError, match="did you mean '100034122'"):
        check_alerts(file, wrong, {"100034122": ["main"]})
    with pytest.raises(ConfigError, match="no bind"):
        check_alerts(file, alerts.model_copy(update={"line": "1"}), {"1": []})
