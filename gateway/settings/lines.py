"""``[[lines]]`` and ``[ussd]``: the numbers that subscribers text, and the codes they dial."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from core.dialogues.limits import Limits
from core.templates.types import Audience
from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen
from gateway.settings.types import LineNumber, Seconds

LONGEST_PAGE: Final = 160
"""Octets of a USSD string; some gateways over HTTP take as many UCS-2 units."""
LONGEST_OVER_SMPP: Final = 127
"""UCS-2 units of a submit_sm: 254 octets."""
_ABOUT_USSD: Final = ("sms_line", "page", "page_gsm7", "rtl_marks", "timeout", "resume")


class Line(Frozen):
    """``[[lines]]``: a number that subscribers text, or a code that they dial (``*1522#``)."""

    number: LineNumber
    profile: str
    """The folder of ``daemon.profiles`` that says what may be texted or dialled here."""
    binds: tuple[str, ...] = ()
    """In order of preference: the next is used while the one before is down. A code that is
    dialled may also name doors of ``[[ussd_doors]]``."""

    audience: Audience = Audience.SERVICE
    """What it may carry: ``service`` reaches a company's own subscribers, also those who blocked
    advertising; ``advertising`` does not reach those."""
    price: Annotated[float, Field(ge=0)] = 0
    """Rial that one part of a message costs on it, to tell what a campaign would come to; 0:
    nobody says."""
    sms_line: str = ""
    """Of a code: the line that texts to who dialled it go out from; none: it sends none."""
    page: Annotated[int, Field(ge=30, le=LONGEST_PAGE)] = 80
    """Of a code: how many UCS-2 units a screen of the network holds …"""
    page_gsm7: Annotated[int, Field(ge=60, le=182)] = 182
    """… and how many characters when all of them are of GSM-7."""
    rtl_marks: bool = False
    """Of a code: whether handsets need to be told that a line is written from right to left."""
    timeout: Seconds = 180
    """Of a code: how long the network keeps a session waiting for the handset, in seconds."""
    resume: Annotated[float, Field(ge=0)] = 300
    """Of a code: for how many seconds a session that was cut off may be gone on with."""

    @property
    def is_dialled(self) -> bool:
        """Whether it is a USSD code."""
        return self.number.startswith("*")


class UssdSettings(Frozen):
    """``[ussd]``: how much is dialled at most."""

    sessions: Annotated[int, Field(ge=1)] = 200_000
    """Sessions open at once; beyond it the oldest are ended first."""
    dials_per_minute: Annotated[int, Field(ge=1)] = 10
    """From one mobile."""
    inputs_per_minute: Annotated[int, Field(ge=1)] = 60
    """From one mobile, dials among them."""

    def limits(self) -> Limits:
        """As the core takes them."""
        return Limits(self.sessions, self.dials_per_minute, self.inputs_per_minute)


def check_lines(
    file: Path,
    lines: Sequence[Line],
    profiles: Path,
    binds: Mapping[str, bool],
    ussd_binds: Collection[str],
) -> None:
    """Raise ``ConfigError`` for the first line that could not work.

    ``profiles``: their folder; ``binds``: for each bind whether it sends; ``ussd_binds``: the
    binds and doors that carry USSD.
    """
    folders = _folders(profiles)
    texted = {line.number for line in lines if not line.is_dialled}
    for place, line in enumerate(lines, 1):
        key = f"lines[{place}]"
        if line.profile not in folders:
            problem = f"there is no profile {line.profile!r} in {profiles}"
            raise ConfigError(file, f"{key}.profile", problem, nearest_hint(line.profile, folders))
        if not line.binds:
            hint = nearest_hint("", binds) or "add one under [[binds]]"
            raise ConfigError(file, f"{key}.binds", f"line {line.number} names no bind", hint)
        for name in line.binds:
            if name not in binds and name not in ussd_binds:
                hint = nearest_hint(name, {*binds, *ussd_binds})
                raise ConfigError(file, f"{key}.binds", f"there is no bind {name!r}", hint)
        if line.is_dialled:
            _check_dialled(file, key, line, texted, ussd_binds)
            _check_page(file, key, line, binds)
        else:
            _check_texted(file, key, line, binds)


def _check_texted(file: Path, key: str, line: Line, binds: Mapping[str, bool]) -> None:
    if said := sorted(line.model_fields_set.intersection(_ABOUT_USSD)):
        problem = f"{', '.join(said)}: only for a code that is dialled"
        raise ConfigError(file, key, problem, "a code is written such as *1522#")
    if not any(binds.get(name) for name in line.binds):
        problem = f"line {line.number} could not answer: its binds only receive"
        raise ConfigError(file, f"{key}.binds", problem, "add a transmitter or transceiver")
    for name in line.binds:
        if name not in binds:
            problem = f"{name!r} is a door for USSD: no text goes through it"
            raise ConfigError(file, f"{key}.binds", problem, "name one of [[binds]]")


def _check_dialled(
    file: Path, key: str, line: Line, texted: Collection[str], ussd_binds: Collection[str]
) -> None:
    for name in line.binds:
        if name not in ussd_binds:
            problem = f"bind {name!r} carries no USSD"
            raise ConfigError(file, f"{key}.binds", problem, "say its dialect: ussd = …")
    if line.sms_line and line.sms_line not in texted:
        problem = f"there is no line {line.sms_line!r} that texts could go out from"
        raise ConfigError(file, f"{key}.sms_line", problem, nearest_hint(line.sms_line, texted))


def _check_page(file: Path, key: str, line: Line, binds: Collection[str]) -> None:
    if line.page > LONGEST_OVER_SMPP and (over_smpp := [n for n in line.binds if n in binds]):
        problem = f"a screen on bind {over_smpp[0]!r} holds {LONGEST_OVER_SMPP} units at most"
        raise ConfigError(file, f"{key}.page", problem, "80 fit a USSD string")


def _folders(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
