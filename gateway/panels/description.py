"""How a panel is spoken to, as a file says it: ``kinds/*.toml``, or an operator's own.

docs/panels.md explains each key with an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen, read_model
from gateway.panels.port import Meaning

KINDS: Final = Path(__file__).parent / "kinds"


class StateMeaning(StrEnum):
    """What a state of a message means."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It could not be delivered."""
    EXPIRED = "expired"
    REJECTED = "rejected"
    """Refused or cancelled: it will not be tried."""
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    """There is no such message, or no longer."""


def _codes(value: object) -> object:
    """Codes as text: panels write the same one as a number here and in quotes there."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else value


Codes = Annotated[frozenset[str], BeforeValidator(_codes)]
_Path = Annotated[str, Field(pattern="^/")]
_Fields = Mapping[str, str | int | bool]
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_OF_ACCOUNT: Final = frozenset({"key"})


class Answers(Frozen):
    """Where an answer says how it went."""

    status: str
    """The dotted path of the status in it: ``return.status``."""
    words: str = ""
    good: Codes
    codes: dict[Meaning, Codes] = Field(default_factory=dict)
    """What other statuses mean, and HTTP statuses of answers that cannot be read; any that is
    not named is REFUSED."""

    def meaning(self, code: str) -> Meaning:
        """What a status means that is not good."""
        return meaning_of(self.codes, code)


class Request(Frozen):
    """One request."""

    method: Literal["GET", "POST"] = "GET"
    path: _Path
    fields: _Fields = Field(default_factory=dict)
    """Of a GET the query; a value such as ``{ids}`` stands for what the request is about."""


class Send(Request):
    """Sending many messages at once."""

    write: Literal["form", "json", "query"] = "json"
    """How the fields are written; in a form and a query, lists are written as JSON."""
    size: int = Field(ge=1, le=10_000)
    one_line: bool = False
    items: str
    """Where the answer has one item for each message …"""
    id: str = ""
    """… and what names the id in it; empty: the item is the id."""
    code: str = ""
    local_id: str = ""
    """What tells which message an item is about …"""
    mobile: str = ""
    """… or only which mobile; without both the order does."""
    good: Codes = frozenset()
    """Codes of items that were accepted; none named: whatever has an id was."""
    without_id: Meaning = Meaning.REFUSED
    codes: dict[Meaning, Codes] = Field(default_factory=dict)

    def meaning(self, code: str) -> Meaning:
        """What the code of an item means that was not accepted."""
        return meaning_of(self.codes, code)


class States(Request):
    """Asking what became of messages."""

    size: int = Field(ge=1, le=10_000)
    hours: float = Field(48, gt=0)
    """For how long the panel can be asked."""
    items: str
    id: str
    code: str
    at: str = ""
    codes: dict[StateMeaning, Codes]

    def meaning(self, code: str) -> StateMeaning:
        """What a code means; one that is not named settles nothing."""
        for meaning, codes in self.codes.items():
            if code in codes:
                return meaning
        return StateMeaning.PENDING


class Local(Request):
    """Asking which messages the panel took, by ids of ours."""

    size: int = Field(ge=1, le=10_000)
    items: str
    id: str
    local_id: str = ""
    """Where one is asked for at a time it need not be said."""
    code: str = ""
    """A state, as in ``[states]``."""
    none: Codes = frozenset()
    """Ids that stand for no message."""


class Texts(Request):
    """Asking for texts that came."""

    items: str
    source: str
    destination: str
    text: str
    at: str = ""
    mark: tuple[str, ...] = Field(min_length=1)

    @property
    def by_line(self) -> bool:
        """Whether each line is asked for apart."""
        return "{line}" in (self.path, *self.fields.values())


class Credit(Request):
    """Asking what is left."""

    value: str


class PushedTexts(Frozen):
    """What a pushed text's parameters are called."""

    source: str
    destination: str
    text: str
    mark: tuple[str, ...] = Field(min_length=1)


class PushedReceipts(Frozen):
    """What a pushed state's parameters are called."""

    id: str
    code: str


class Push(Frozen):
    """What the panel posts to us."""

    texts: PushedTexts | None = None
    receipts: PushedReceipts | None = None


class Description(Frozen):
    """The whole file."""

    title: str
    url: str = Field(pattern="^https?://")
    auth: Literal["path", "header", "basic"]
    """Where the credentials go: ``{key}`` in paths, a header, or HTTP Basic."""
    header: str = ""
    mobiles: Literal["national", "international"] = "national"
    """``09131234567`` or ``989131234567``."""
    answers: Answers
    send: Send
    states: States | None = None
    local: Local | None = None
    texts: Texts | None = None
    again: Request | None = None
    """As ``texts``, for those that were handed over before."""
    credit: Credit | None = None
    push: Push = Push()

    @model_validator(mode="after")
    def _fits_together(self) -> Description:
        if (self.auth == "header") != bool(self.header):
            raise ValueError('auth = "header" and header go together')
        if self.again and not self.texts:
            raise ValueError("[again] needs [texts], whose names it shares")
        if self.local and self.local.code and not self.states:
            raise ValueError("local.code needs [states], which say what it means")
        for name, request, known in (
            ("send", self.send, _SEND),
            ("states", self.states, {"id", "ids"}),
            ("local", self.local, {"local_ids"}),
            ("texts", self.texts, {"line"}),
            ("again", self.again, {"line"}),
            ("credit", self.credit, set()),
        ):
            if request:
                _check_placeholders(name, request, known | _OF_ACCOUNT)
        return self


_SEND: Final = {"mobiles", "texts", "lines", "local_ids", "line", "line_number"}


def _check_placeholders(name: str, request: Request, known: set[str] | frozenset[str]) -> None:
    for value in (request.path, *request.fields.values()):
        for placeholder in _PLACEHOLDER.findall(str(value)):
            if placeholder not in known:
                hint = nearest_hint(placeholder, known)
                raise ValueError(f"{name}: there is no {{{placeholder}}}; {hint}")


def meaning_of(codes: Mapping[Meaning, frozenset[str]], code: str) -> Meaning:
    """What a code means; REFUSED where nothing is said of it."""
    for meaning, named in codes.items():
        if code in named:
            return meaning
    return Meaning.REFUSED


def shipped_kinds() -> list[str]:
    """The names of the descriptions that come with the program."""
    return sorted(path.stem for path in KINDS.glob("*.toml"))


def load_description(file: Path, key: str, kind: str, folder: Path) -> Description:
    """A description: one that is shipped, or an operator's own (``panels/mine.toml``).

    ``file`` and ``key`` are where the settings name it, ``folder`` is where relative paths
    start. Raises ``ConfigError``.
    """
    if kind.endswith(".toml"):
        own = folder / kind
        if not own.is_file():
            raise ConfigError(file, key, f"there is no file {own}")
        return read_model(own, Description)
    kinds = shipped_kinds()
    if kind not in kinds:
        hint = nearest_hint(kind, kinds) + ", or the path of a file of yours that ends in .toml"
        raise ConfigError(file, key, f"there is no kind of panel {kind!r}", hint)
    return read_model(KINDS / f"{kind}.toml", Description)
