"""``[[panels]]`` and descriptions of panels: what is refused before the daemon starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.configuration import ConfigError, as_model
from gateway.panels.description import KINDS, load_description, shipped_kinds
from gateway.settings.lines import Line
from gateway.settings.panels import PanelAccount, check_panels
from gateway.settings.payments import WebSettings

FILE = Path("peyk.toml")
KEY = "a-key-that-nobody-may-see"
LINE = Line(number="100034122", profile="kerman-water", binds=("kave",))


def panel(**values: Any) -> PanelAccount:
    """A panel that could work, unless told otherwise."""
    given = {"name": "kave", "kind": "kavenegar", "key": KEY}
    return as_model(FILE, given | values, PanelAccount)


def check(*panels: PanelAccount, web: WebSettings | None = None) -> None:
    """What the settings as a whole say of them."""
    check_panels(FILE, panels, web, [LINE], {"mci": "bind 'mci'", "/ussd/a": "door 'a'"})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "kavengar"}, "did you mean 'kavenegar'"),
        ({"kind": "panels/mine.toml"}, "there is no file"),
        ({"name": "mci"}, "taken already, by bind 'mci'"),
        ({"key": ""}, r'panels\[1\].key: Kavenegar wants it.*env = "NAME"'),
        ({"key": "with a blank"}, "a character that no key has"),
        ({"url": "api.kavenegar.com"}, "is not an address"),
        ({"url": "http://api.kavenegar.com"}, "write https://"),
        ({"kind": "magfa", "password": "x"}, r"panels\[1\].user: Magfa wants it"),
        ({"kind": "magfa", "user": "water"}, r"panels\[1\].password: Magfa wants it"),
        ({"senders": {"100034123": "10004346"}}, "does not name panel 'kave'.*100034122"),
        ({"push_path": "/ussd/a", "push_secret": KEY}, "taken already, by door 'a'"),
        ({"texts": "push"}, "write push_path"),
        ({"push_names": {"sourse": "from"}}, "did you mean 'source'"),
        ({"push_path": "/panels/k", "push_secret": KEY}, r"there is no \[web\] table"),
        ({"rate": -1}, "greater than or equal to 0"),
    ],
)
def test_a_mistake_is_said_with_what_to_do(values: dict[str, Any], said: str) -> None:
    """And never with a secret."""
    with pytest.raises(ConfigError, match=said) as caught:
        check(panel(**values))
    assert KEY not in str(caught.value)
    assert "with a blank" not in str(caught.value)


def test_a_path_that_stands_open_is_refused() -> None:
    """Anybody could text with anybody's number."""
    with pytest.raises(ConfigError, match="neither push_secret nor push_allow"):
        check(panel(push_path="/panels/k"), web=WebSettings())
    check(panel(push_path="/panels/k", push_allow=["10.1.0.0/16"]), web=WebSettings())


@pytest.mark.parametrize("kind", shipped_kinds())
def test_what_is_shipped_can_be_read(kind: str, tmp_path: Path) -> None:
    """And taken as the beginning of one's own."""
    shipped = load_description(FILE, "panels[1].kind", kind, tmp_path)
    (tmp_path / "mine.toml").write_text((KINDS / f"{kind}.toml").read_text())
    assert load_description(FILE, "panels[1].kind", "mine.toml", tmp_path) == shipped


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('"{mobiles}"', '"{mobile}"', r"send: there is no \{mobile\}; did you mean 'mobiles'"),
        ('auth = "path"', 'auth = "header"', "header go together"),
        ("no_credit", "no_credits", "no_credits"),
        ("size = 200", "size = 0", "greater than or equal to 1"),
    ],
)
def test_a_mistake_in_a_description_is_told_with_its_file(
    tmp_path: Path, was: str, now: str, said: str
) -> None:
    """As one in the settings is."""
    own = tmp_path / "mine.toml"
    own.write_text((KINDS / "kavenegar.toml").read_text().replace(was, now, 1))
    with pytest.raises(ConfigError, match=said) as caught:
        load_description(FILE, "panels[1].kind", "mine.toml", tmp_path)
    assert str(own) in str(caught.value)
