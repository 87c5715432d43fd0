"""``[web]`` and ``[[payments]]``: where pages are served, and who collects for which utility."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from core.terms import PaymentTerms
from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen
from gateway.settings.types import Name

_DIAL_FIELDS = frozenset({"bill_id", "payment_id"})
_MOST_PORT = 65535


def host_and_port(value: str) -> str:
    """The same where it is HOST:PORT; raises ``ValueError``."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= _MOST_PORT:
        raise ValueError("write HOST:PORT, such as 127.0.0.1:8080")
    return value


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("is not an address such as https://pay.example.ir")
    return value.rstrip("/")


def _dial(value: str) -> str:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    except ValueError:
        names = {""}
    if names - _DIAL_FIELDS:
        raise ValueError("only {bill_id} and {payment_id} can be filled in")
    return value


class CannotServe(Exception):
    """The daemon's HTTP server cannot run, in words for the person who started it."""


Url = Annotated[str, AfterValidator(_web_url)]


class WebSettings(Frozen):
    """``[web]``: the daemon's own HTTP server."""

    listen: Annotated[str, AfterValidator(host_and_port)] = "127.0.0.1:8080"
    url: Url = "http://127.0.0.1:8080"
    """What links begin with: how phones reach it, through the proxy that ends TLS."""
    behind_proxy: bool = False
    """Take the last address of ``X-Forwarded-For`` for the one who asks."""
    requests_a_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 120
    """Of one address to the pay page. Many phones share one: operators' NAT."""
    tls_certificate: Path | None = None
    """A PEM file with the certificate and its chain: the server ends TLS by itself …"""
    tls_key: Path | None = None
    """… with this key."""
    demo: bool = False
    """Allow the simulated bank: whoever reaches the page can pay without money."""

    @property
    def host(self) -> str:
        """The interface to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])


class PaymentAccount(Frozen):
    """``[[payments]]``: how the subscribers of some profiles pay."""

    name: Name
    """The channel of the payments that come of it; never to be given to another account."""
    profiles: tuple[str, ...] = ()
    """Whose money it collects; empty: every profile that no other table names."""
    provider: Literal["zarinpal", "simulated", "none"] = "none"
    """``none``: no link, only what to dial."""
    merchant_id: SecretStr = SecretStr("")
    sandbox: bool = False
    """Zarinpal's own place to try things out."""
    address: Url | None = None
    """Another address of the provider."""
    dial: Annotated[str, AfterValidator(_dial)] = ""
    """What to dial, such as ``*1522*{bill_id}*{payment_id}#``."""
    link_hours: int = Field(24, ge=1, le=24 * 30)

    def takes(self, profile: str) -> bool:
        """Whether it names this profile."""
        return profile in self.profiles


def account_for(accounts: Sequence[PaymentAccount], profile: str) -> PaymentAccount | None:
    """The account that collects for a profile."""
    named = [account for account in accounts if account.takes(profile)]
    rest = [account for account in accounts if not account.profiles]
    return next(iter(named or rest), None)


def check_payments(
    file: Path,
    web: WebSettings | None,
    accounts: Sequence[PaymentAccount],
    profiles: Iterable[str],
) -> None:
    """Raise ``ConfigError`` for the first account that could not work."""
    if web:
        _check_tls(file, web)
    known = set(profiles)
    owners: dict[str, str] = {}
    for place, account in enumerate(accounts, 1):
        key = f"payments[{place}]"
        if account.name in {other.name for other in accounts[: place - 1]}:
            raise ConfigError(file, f"{key}.name", f"{account.name!r} is taken already")
        for profile in account.profiles or ("",):
            if profile and profile not in known:
                hint = nearest_hint(profile, known)
                raise ConfigError(file, f"{key}.profiles", f"no line has {profile!r}", hint)
            if profile in owners:
                whose = repr(profile) if profile else "every other profile"
                problem = f"{whose} is collected for by {owners[profile]!r} already"
                raise ConfigError(file, f"{key}.profiles", problem)
            owners[profile] = account.name
        _check_provider(file, key, web, account)


def _check_tls(file: Path, web: WebSettings) -> None:
    if bool(web.tls_certificate) != bool(web.tls_key):
        missing = "tls_key" if web.tls_certificate else "tls_certificate"
        raise ConfigError(file, f"web.{missing}", "is missing", "TLS needs certificate and key")
    for key, path in (("tls_certificate", web.tls_certificate), ("tls_key", web.tls_key)):
        if path and not path.is_file():
            raise ConfigError(file, f"web.{key}", f"there is no file {path}")


def _check_provider(file: Path, key: str, web: WebSettings | None, account: PaymentAccount) -> None:
    if account.provider == "none":
        return
    if web is None:
        problem = "there is no [web] table: nobody could open a payment link"
        raise ConfigError(file, f"{key}.provider", problem, "write [web] with listen and url")
    if account.provider == "simulated" and not web.demo:
        problem = "the simulated bank lets anybody pay without money"
        raise ConfigError(file, f"{key}.provider", problem, "set demo = true in [web] to try it")
    if account.provider == "zarinpal":
        if not account.merchant_id.get_secret_value():
            raise ConfigError(file, f"{key}.merchant_id", "is missing")
        if not (web.demo or web.url.startswith("https://")):
            problem = "people are to pay at an address without TLS"
            raise ConfigError(file, "web.url", problem, "write its https:// address")


def payment_terms(web: WebSettings | None, account: PaymentAccount | None) -> PaymentTerms:
    """What the settings mean for the operation ``pay``."""
    if account is None:
        return PaymentTerms()
    link = f"{web.url}/p/" if web and account.provider != "none" else ""
    return PaymentTerms(link, account.dial, timedelta(hours=account.link_hours))
