"""Alerts by e-mail: a thread speaks SMTP, since the library waits for each answer."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from twisted.internet.defer import Deferred

from core.jalali import instant_of, jalali_time
from gateway.alerts.telling import NotTold, Telling
from gateway.settings.alerts import EmailSettings, Encryption


class EmailWay:
    """One mail server. Implements ``gateway.alerts.telling.Way``."""

    name = "email"

    def __init__(
        self,
        settings: EmailSettings,
        in_thread: Callable[..., Deferred[Any]],
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._settings = settings
        self._in_thread = in_thread
        self._trust = trust

    def tell(self, telling: Telling) -> Deferred[None]:
        """One message to all of them."""
        return self._in_thread(self._send, as_mail(self._settings, telling))

    def _send(self, mail: EmailMessage) -> None:
        settings = self._settings
        try:
            with self._connect() as server:
                if settings.encryption is Encryption.STARTTLS:
                    server.starttls(context=self._trust())
                if settings.username:
                    server.login(settings.username, settings.password.get_secret_value())
                refused = server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise NotTold(f"{settings.host}: {_words(error)}") from None
        if refused:
            raise NotTold(f"{settings.host} refuses {', '.join(sorted(refused))}")

    def _connect(self) -> smtplib.SMTP:
        host, port, timeout = self._settings.host, self._settings.port, self._settings.timeout
        if self._settings.encryption is Encryption.TLS:
            return smtplib.SMTP_SSL(host, port, timeout=timeout, context=self._trust())
        return smtplib.SMTP(host, port, timeout=timeout)


def as_mail(settings: EmailSettings, telling: Telling) -> EmailMessage:
    """What is told, in both languages; the same ``Message-ID`` whenever it is told again."""
    mail = EmailMessage()
    mark = "OK" if telling.is_end else "ALERT"
    mail["Subject"] = f"[Peyk] {mark}: {telling.english}"
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = format_datetime(datetime.now(UTC))
    domain = settings.sender.partition("@")[2]
    mail["Message-ID"] = (
        make_msgid(domain=domain) if telling.is_test else f"<{telling.key}@{domain}>"
    )
    mail["Auto-Submitted"] = "auto-generated"
    at = jalali_time(instant_of(telling.at))
    mail.set_content(f"{telling.persian}\n\n{telling.english}\n\n{at}\n{telling.alert.trouble}\n")
    return mail


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {words}"
    return str(error) or type(error).__name__
