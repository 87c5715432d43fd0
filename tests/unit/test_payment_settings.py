"""``[web]`` and ``[[payments]]``: what is refused, and what the rest means for operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.calls import DONE, Fact, Outcome
from core.operations import REGISTRY
from gateway.configuration import ConfigError, as_model, read_toml
from gateway.profiles import load_profile
from gateway.settings.payments import (
    PaymentAccount,
    WebSettings,
    account_for,
    check_payments,
    payment_terms,
)

CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 9, 21, tzinfo=UTC)
FILE = Path("peyk.toml")
HTTPS = WebSettings(url="https://pay.example.ir/")
PROFILES = ("kerman-water", "qom-power")


def account(**values: Any) -> PaymentAccount:
    """An account of Zarinpal's, unless told otherwise."""
    given = {"name": "a", "provider": "zarinpal", "merchant_id": "m", **values}
    return PaymentAccount.model_validate(given)


def check(*accounts: PaymentAccount, web: WebSettings | None = HTTPS) -> None:
    """Check accounts as the settings file is checked."""
    check_payments(FILE, web, accounts, PROFILES)


@pytest.mark.parametrize(
    ("accounts", "web", "said"),
    [
        ([account(), account()], HTTPS, "taken already"),
        ([account(profiles=["kermn-water"])], HTTPS, "did you mean 'kerman-water'"),
        ([account(profiles=["qom-power"]), account(name="b", profiles=["qom-power"])], HTTPS,
         "collected for by 'a' already"),
        ([account(), account(name="b")], HTTPS, "every other profile"),
        ([account()], None, "no \\[web\\] table"),
        ([account(merchant_id="")], HTTPS, "merchant_id: is missing"),
        ([account()], WebSettings(), "without TLS"),
        ([account(provider="simulated")], HTTPS, "demo = true"),
    ],
)  # fmt: skip
def test_what_could_not_work_is_one_clear_error(
    accounts: list[PaymentAccount], web: WebSettings | None, said: str
) -> None:
    """With its key, before the daemon starts."""
    with pytest.raises(ConfigError, match=said):
        check(*accounts, web=web)


def test_what_works_is_taken() -> None:
    """An account each, one for the rest, none at all, a demo."""
    check(account(profiles=["qom-power"]), account(name="b"))
    check(account(provider="none"), web=None)
    check(account(provider="simulated"), web=WebSettings(demo=True))


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (WebSettings, {"listen": "8080"}),
        (WebSettings, {"listen": "127.0.0.1:0"}),
        (WebSettings, {"url": "pay.example.ir"}),
        (WebSettings, {"url": "javascript:alert(1)"}),
        (PaymentAccount, {"name": "a", "dial": "*1522*{mobile}#"}),
        (PaymentAccount, {"name": "a", "dial": "*1522*{bill_id"}),
        (PaymentAccount, {"name": "a", "provider": "mellat"}),
    ],
)
def test_values_that_mean_nothing_are_refused(model: Any, values: dict[str, str]) -> None:
    """Each by its key."""
    with pytest.raises(ConfigError):
        as_model(FILE, values, model)


def test_a_profiles_own_account_goes_before_the_one_for_all() -> None:
    """Kerman's money never ends in Qom's account."""
    accounts = (account(name="rest"), account(name="kerman", profiles=["kerman-water"]))
    kerman, qom = (account_for(accounts, profile) for profile in PROFILES)
    assert kerman is not None
    assert qom is not None
    assert (kerman.name, qom.name) == ("kerman", "rest")
    assert account_for((), "kerman-water") is None


def test_settings_become_the_terms_of_paying() -> None:
    """A link begins with the public address; without a provider there is only what to dial."""
    terms = payment_terms(HTTPS, account(dial="*1522#", link_hours=48))
    assert (terms.link, terms.dial, terms.valid_for) == (
        "https://pay.example.ir/p/",
        "*1522#",
        timedelta(hours=48),
    )
    assert payment_terms(HTTPS, account(provider="none")).link == ""
    assert payment_terms(None, None).link == ""


def test_a_merchant_id_is_a_secret() -> None:
    """It shows in no error and no log."""
    assert "hidden" not in repr(account(merchant_id="hidden"))


@pytest.mark.parametrize("name", ["kerman-water", "lorestan-water"])
def test_what_ships_has_a_word_for_the_account_of_the_demo(name: str) -> None:
    """Nobody reads «demo-bank» as the channel of their payment."""
    (shipped,) = read_toml(CONFIG / "peyk.toml")["payments"]
    facts: dict[str, Fact] = {"number": "1", "amount": 1, "paid_at": NOW, "debt": 0, "credit": 0}
    paid = Outcome("last_payment", DONE, {**facts, "channel": shipped["name"]})
    profile = load_profile(CONFIG / "profiles" / name, REGISTRY)
    assert "آزمایشی" in profile.render(paid)
