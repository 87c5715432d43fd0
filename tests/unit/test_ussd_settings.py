"""How a bind's USSD dialect is set: by a word, or by a word and what is different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.configuration import ConfigError
from gateway.operator import as_operator
from gateway.settings import Settings, load_settings
from gateway.smpp.dialects import PRESETS, FirstString, UssdDialect

DAEMON = f'[daemon]\nkey = "{"k" * 32}"\n'
BIND = '[[binds]]\nname = "mci"\nhost = "smsc.example"\nsystem_id = "peyk"\n'


SMSC = '[smsc]\nhost = "smsc.example"\n'


def _load(folder: Path, bind: str) -> Settings:
    file = folder / "peyk.toml"
    file.write_text(DAEMON + BIND + bind, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", None),
        ('ussd = "mica"', PRESETS["mica"]),
        (
            'ussd = { dialect = "sixdee", end_op = 0x17, service_type = "USSD" }',
            replace(PRESETS["sixdee"], end_op=0x17, service_type="USSD"),
        ),
        (
            'ussd = { begin_ops = [1, 0x20], first_string = "destination_addr" }',
            UssdDialect(begin_ops=(1, 0x20), first_string=FirstString.DESTINATION),
        ),
    ],
)
def test_a_dialect_is_a_preset_and_what_differs(
    tmp_path: Path, said: str, meant: UssdDialect | None
) -> None:
    """The protocol is told all of it; without the setting there is no USSD."""
    assert _load(tmp_path, said).binds[0].for_smpp().ussd == meant


@pytest.mark.parametrize(
    ("said", "key", "words"),
    [
        ('"sixde"', "ussd.dialect", "did you mean 'sixdee'?"),
        ("3", "ussd", "neither a dialect (default, sixdee, mica) nor a table"),
        ("{ endop = 3 }", "ussd.endop", "did you mean 'end_op'?"),
        ("{ end_op = 300 }", "ussd.end_op", "255"),
        ('{ dialect = "mica", end_op = 2 }', "ussd.end_op", "no end bit tells them apart"),
        ("{ answer_ops = [1] }", "ussd.answer_ops", "0x01 is in begin_ops already"),
        ("{ answer_ops = [] }", "ussd.answer_ops", "no session could be held"),
    ],
)
def test_a_mistake_in_a_dialect_is_told(tmp_path: Path, said: str, key: str, words: str) -> None:
    """Also what no single key can know: that a session could not be ended."""
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, f"ussd = {said}")
    assert caught.value.key == f"binds[1].{key}"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("", "mica"), ('ussd = "sixdee"', "sixdee"), ("port = 2776", "default")],
)
def test_the_simulated_operator_speaks_as_its_bind_does(
    tmp_path: Path, said: str, meant: str
) -> None:
    """Unless it is told to speak otherwise, or no bind connects to it."""
    settings = _load(tmp_path, f'ussd = "mica"\n{SMSC}{said}\n')
    assert settings.smsc is not None
    assert as_operator(settings.smsc).ussd == PRESETS[meant]
