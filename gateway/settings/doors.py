"""``[[ussd_doors]]``: where USSD gateways that speak HTTP hand over what subscribers dial."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from gateway.configuration import ConfigError, Frozen
from gateway.settings.payments import WebSettings
from gateway.settings.types import Name

SECRET_LENGTH = 16
"""The shortest secret: what is guessed over the network must not be found by trying."""
LONGEST_DEADLINE = 30
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_TAKEN = frozenset({"p", "bank", "style.css", "health", "metrics"})
"""What begins the paths of other pages."""


class HttpDialect(StrEnum):
    """How a USSD gateway writes its requests."""

    AFRICASTALKING = "africastalking"
    HUBTEL = "hubtel"
    RESTCOMM = "restcomm"


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or not {".", ".."}.isdisjoint(value.split("/")):
        raise ValueError("is not a path such as /ussd/mci")
    if value.split("/")[1] in _TAKEN:
        raise ValueError(f"/{value.split('/')[1]} is served already; take one such as /ussd/mci")
    return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value!r} is not an address or a network such as 10.1.0.0/16") from None


def _token(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if secret and len(secret) < SECRET_LENGTH:
        raise ValueError(f"has {len(secret)} characters; it needs at least {SECRET_LENGTH}")
    if secret and not re.fullmatch(r"[A-Za-z0-9._~-]+", secret):
        raise ValueError("has a character that a path cannot carry; take letters and digits")
    return value


SitePath = Annotated[str, AfterValidator(_path)]
"""A path of ``[web]`` at which others post to us."""
Network = Annotated[str, AfterValidator(_network)]
Token = Annotated[SecretStr, AfterValidator(_token)]


class UssdDoor(Frozen):
    """``[[ussd_doors]]``: one path of ``[web]`` that a USSD gateway posts to.

    Lines name it in their ``binds``.
    """

    name: Name
    dialect: HttpDialect
    path: SitePath
    secret: Token = SecretStr("")
    """What the gateway writes behind the path (``/ussd/mci/SECRET``) or in the header
    ``Authorization: Bearer SECRET``; empty: none is asked for."""
    allow: tuple[Network, ...] = ()
    """The addresses it comes from; empty: any. With a secret both must be right."""
    deadline: float = Field(5, gt=0, le=LONGEST_DEADLINE)
    """Seconds in which a request is answered, with whatever there is by then."""


def check_doors(
    file: Path, web: WebSettings | None, doors: Sequence[UssdDoor], binds: Collection[str]
) -> None:
    """Raise ``ConfigError`` for the first door that could not work or stands open.

    ``binds``: the names that are taken by ``[[binds]]``.
    """
    names: set[str] = set(binds)
    paths: dict[str, str] = {}
    for place, door in enumerate(doors, 1):
        key = f"ussd_doors[{place}]"
        if web is None:
            problem = "there is no [web] table: nobody could reach a door"
            raise ConfigError(file, key, problem, "write [web] with listen and url")
        if door.name in names:
            problem = f"{door.name!r} is already the name of a bind or a door"
            raise ConfigError(file, f"{key}.name", problem, "lines name both in their binds")
        if door.path in paths:
            problem = f"{door.path} is the path of {paths[door.path]!r} already"
            raise ConfigError(file, f"{key}.path", problem)
        if not (door.secret.get_secret_value() or door.allow or web.demo):
            problem = "anybody could dial with anybody's number: it has neither secret nor allow"
            hint = "write one of them, or demo = true in [web] to try it"
            raise ConfigError(file, key, problem, hint)
        names.add(door.name)
        paths[door.path] = door.name
