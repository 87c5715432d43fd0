"""``[[panels]]``: accounts at SMS panels, which lines may name beside binds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen
from gateway.panels.description import Description, load_description
from gateway.settings.doors import Network, SitePath, Token
from gateway.settings.lines import Line
from gateway.settings.payments import WebSettings
from gateway.settings.types import LineNumber, Name, Seconds

_KEY: Final = re.compile(r"[!-~]+")


class Receives(StrEnum):
    """How texts and states come from a panel."""

    POLL = "poll"
    """The daemon asks for them."""
    PUSH = "push"
    """The panel posts them to ``push_path``."""
    NONE = "none"


def _url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("is not an address such as https://api.example.ir")
    return value.rstrip("/")


def _key(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if secret and not _KEY.fullmatch(secret):
        raise ValueError("has a character that no key has, such as a blank")
    return value


class PanelAccount(Frozen):
    """``[[panels]]``: one account at a panel."""

    name: Name
    kind: str = Field(min_length=1)
    """``kavenegar``, ``smsir``, ``magfa``, or a description of yours beside this file
    (``panels/mine.toml``)."""
    url: Annotated[str, AfterValidator(_url)] = ""
    """Where it is; empty: where its kind says."""
    key: Annotated[SecretStr, AfterValidator(_key)] = SecretStr("")
    user: str = ""
    domain: str = ""
    """Behind the user: ``user/domain``."""
    password: SecretStr = SecretStr("")
    senders: dict[LineNumber, str] = Field(default_factory=dict)
    """By line: the number that the panel sends it from, where that is another one."""
    rate: float = Field(0, ge=0)
    """Messages a second; 0 is no limit."""
    requests: int = Field(2, ge=1, le=50)
    """How many may be sending at once."""
    timeout: Seconds = 20
    """Seconds until a request counts as unanswered."""
    connect_timeout: Seconds = 5
    poll: Seconds = 10
    """Seconds between askings for texts, and until a message's state is first asked for."""
    texts: Receives | None = None
    """How texts come; not said: pushed where there is a ``push_path``, else polled."""
    states: Receives | None = None
    """How states come; not said: polled."""
    push_path: SitePath | None = None
    """A path of ``[web]`` that the panel posts to."""
    push_secret: Token = SecretStr("")
    """What stands behind that path: ``/panels/mine/SECRET``."""
    push_allow: tuple[Network, ...] = ()
    """The addresses that it posts from; empty: any."""
    push_names: dict[str, str] = Field(default_factory=dict)
    """What pushed parameters are called, where that is other than the kind says: ``source``,
    ``destination``, ``text``, ``id``, ``state``."""
    credit_low: float = Field(0, ge=0)
    """Below it health says so; in the panel's own unit."""
    credit_every: Seconds = 600
    """Seconds between askings for the credit."""

    def description(self, file: Path, key: str) -> Description:
        """How it is spoken to; ``key``: where ``file`` has this table. Raises ``ConfigError``."""
        return load_description(file, f"{key}.kind", self.kind, file.absolute().parent)

    @property
    def texts_come(self) -> Receives:
        """How texts come."""
        return self.texts or (Receives.PUSH if self.push_path else Receives.POLL)

    @property
    def states_come(self) -> Receives:
        """How states come."""
        return self.states or Receives.POLL


PUSH_NAMES: Final = ("source", "destination", "text", "id", "state")


def check_panels(
    file: Path,
    panels: Sequence[PanelAccount],
    web: WebSettings | None,
    lines: Sequence[Line],
    taken: Mapping[str, str],
) -> None:
    """Raise ``ConfigError`` for the first panel that could not work.

    ``taken``: names and paths that binds and doors have, and whose each is.
    """
    used = dict(taken)
    for place, panel in enumerate(panels, 1):
        key = f"panels[{place}]"
        for what, value in (("name", panel.name), ("push_path", panel.push_path)):
            if value and value in used:
                problem = f"{value!r} is taken already, by {used[value]}"
                raise ConfigError(file, f"{key}.{what}", problem, "lines name all in their binds")
            if value:
                used[value] = f"panel {panel.name!r}"
        description = panel.description(file, key)
        _check_credentials(file, key, panel, description)
        _check_ways(file, key, panel, description)
        _check_push(file, key, panel, web)
        served = [line.number for line in lines if panel.name in line.binds]
        _check_senders(file, key, panel, served)


def _check_credentials(file: Path, key: str, panel: PanelAccount, description: Description) -> None:
    by_password = description.auth == "basic"
    wanted = ("user", "password") if by_password else ("key",)
    for name in wanted:
        value = getattr(panel, name)
        if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
            problem = f"{description.title} wants it and it is not there"
            hint = "" if name == "user" else f'write {name} = {{ env = "NAME" }}'
            raise ConfigError(file, f"{key}.{name}", problem, hint)
    url = panel.url or description.url
    if url.startswith("http://") and not re.match(r"http://(127\.|localhost|\[::1\])", url):
        problem = "it would carry the key and the texts to everybody on the way"
        raise ConfigError(file, f"{key}.url", problem, "write https://")


def _check_ways(file: Path, key: str, panel: PanelAccount, description: Description) -> None:
    for name, said, can_poll, can_push in (
        ("texts", panel.texts, description.texts, description.push.texts),
        ("states", panel.states, description.states, description.push.receipts),
    ):
        if said is Receives.POLL and not can_poll:
            problem = f"{description.title} cannot be asked for them"
            raise ConfigError(file, f"{key}.{name}", problem, 'write "push" or "none"')
        if said is Receives.PUSH and not (can_push and panel.push_path):
            problem = "nothing says where they are pushed to, or how they are named"
            hint = "write push_path" if can_push else "its kind needs [push]"
            raise ConfigError(file, f"{key}.{name}", problem, hint)
    for name in panel.push_names:
        if name not in PUSH_NAMES:
            hint = nearest_hint(name, PUSH_NAMES)
            raise ConfigError(file, f"{key}.push_names.{name}", "unknown key", hint)


def _check_push(file: Path, key: str, panel: PanelAccount, web: WebSettings | None) -> None:
    if not panel.push_path:
        return
    if web is None:
        problem = "there is no [web] table: nobody could post there"
        raise ConfigError(file, f"{key}.push_path", problem, "write [web] with listen and url")
    if not (panel.push_secret.get_secret_value() or panel.push_allow or web.demo):
        problem = "anybody could text with anybody's number: neither push_secret nor push_allow"
        hint = "write one of them, or demo = true in [web] to try it"
        raise ConfigError(file, key, problem, hint)


def _check_senders(file: Path, key: str, panel: PanelAccount, served: Collection[str]) -> None:
    for line in panel.senders:
        if line not in served:
            problem = f"line {line} does not name panel {panel.name!r} in its binds"
            hint = nearest_hint(line, served) if served else "no line names it"
            raise ConfigError(file, f"{key}.senders", problem, hint)
