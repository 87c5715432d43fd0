"""``[[ussd_doors]]``: what is refused before the daemon starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.configuration import ConfigError, as_model
from gateway.settings import load_settings
from gateway.settings.doors import UssdDoor, check_doors
from gateway.settings.payments import WebSettings

FILE = Path("peyk.toml")
SECRET = "ks8dKq02mZxv71aB"


def door(**values: Any) -> UssdDoor:
    """A door with a secret, unless told otherwise."""
    given = {"name": "at", "dialect": "africastalking", "path": "/ussd/at", "secret": SECRET}
    return as_model(FILE, given | values, UssdDoor)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dialect": "hubtl"}, "did you mean 'hubtel'"),
        ({"path": "ussd"}, "such as /ussd/mci"),
        ({"path": "/ussd/../p"}, "such as /ussd/mci"),
        ({"path": "/p/ussd"}, "served already"),
        ({"secret": "short"}, "has 5 characters; it needs at least 16"),
        ({"secret": "with/a/slash/in/it"}, "a path cannot carry"),
        ({"allow": ["10.1.0.0/99"]}, "not an address or a network"),
        ({"deadline": 0}, "greater than 0"),
        ({"deadline": 31}, "less than or equal to 30"),
        ({"sectret": SECRET}, "did you mean 'secret'"),
    ],
)
def test_a_mistake_is_said_with_its_key(values: dict[str, Any], said: str) -> None:
    """And never with the secret."""
    with pytest.raises(ConfigError, match=said) as caught:
        door(**values)
    assert "/a/slash" not in str(caught.value)


@pytest.mark.parametrize(
    ("doors", "web", "said"),
    [
        ([door()], None, r"no \[web\] table"),
        ([door(), door(path="/ussd/b")], WebSettings(), "'at' is already the name"),
        ([door(name="operator")], WebSettings(), "'operator' is already the name"),
        ([door(), door(name="b")], WebSettings(), "the path of 'at' already"),
        ([door(secret="")], WebSettings(), "neither secret nor allow"),
    ],
)
def test_what_could_not_work_or_stands_open_is_refused(
    doors: list[UssdDoor], web: WebSettings | None, said: str
) -> None:
    """With what to do about it."""
    with pytest.raises(ConfigError, match=said):
        check_doors(FILE, web, doors, {"operator"})


def test_an_open_door_is_allowed_to_try_things_out() -> None:
    """As the simulated bank is; and with an address list no secret is needed."""
    check_doors(FILE, WebSettings(demo=True), [door(secret="")], ())
    check_doors(FILE, WebSettings(), [door(secret="", allow=["10.1.2.3", "10.2.0.0/16"])], ())


def test_doors_are_read_with_their_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, like every other secret of the file."""
    monkeypatch.setenv("AT_SECRET", SECRET)
    file = tmp_path / "peyk.toml"
    file.write_text(
        '[daemon]\nkey = "0123456789abcdef0123456789abcdef"\n[web]\n[[ussd_doors]]\nname = "at"\n'
        'dialect = "africastalking"\npath = "/ussd/at"\nsecret = { env = "AT_SECRET" }\n'
    )
    (found,) = load_settings(file).ussd_doors
    assert found.secret.get_secret_value() == SECRET
    assert SECRET not in repr(found)
