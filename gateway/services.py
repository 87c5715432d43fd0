"""A profile's ``services.toml`` as the core's ``Services`` (see docs/requests.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field as Setting

from core.requests.changes import EDITED
from core.requests.kinds import (
    About,
    Automatic,
    Door,
    FeeKind,
    FieldType,
    RequestField,
    RequestKind,
    Services,
    VoucherTerms,
    Words,
)
from core.requests.states import ABOUT_FEES, FINAL, MOVES, WITHOUT_FEE, RequestState
from core.text import nearest_hint
from gateway.configuration import ConfigError, Frozen, read_model

FILE: Final = "services.toml"

_TEXT = Annotated[str, Setting(min_length=1)]
_KEY: Final = r"^[a-z][a-z0-9_]*$"
_NAME = Annotated[str, Setting(pattern=_KEY)]

STATE_TITLES: Final[Mapping[RequestState, str]] = MappingProxyType(
    {
        RequestState.REGISTERED: "ثبت شده",
        RequestState.IN_REVIEW: "در دست بررسی",
        RequestState.INCOMPLETE: "در انتظار تکمیل مدارک",
        RequestState.FEE_ANNOUNCED: "هزینه اعلام شده",
        RequestState.VOUCHER_ISSUED: "فیش صادر شده",
        RequestState.PAID: "هزینه پرداخت شده",
        RequestState.OPERATIONAL: "در دست اقدام",
        RequestState.DONE: "انجام شده",
        RequestState.REJECTED: "رد شده",
        RequestState.CANCELLED: "لغو شده",
    }
)
"""The words for a state where the file has no others."""


class _Field(Frozen):
    title: _TEXT
    title_en: str = ""
    type: FieldType = FieldType.TEXT
    required: bool = True
    choices: tuple[_TEXT, ...] = ()


class _Kind(Frozen):
    title: _TEXT
    title_en: str = ""
    sources: tuple[_TEXT, ...] = ()
    doors: frozenset[Door] = frozenset()
    about: About = About.SUBSCRIPTION
    words: Words = Words.NONE
    fields: dict[_NAME, _Field] = Setting(default_factory=dict)
    documents: tuple[_TEXT, ...] = ()
    agreement: str = ""
    steps: tuple[_TEXT, ...] = ()
    fee: FeeKind = FeeKind.NONE
    fee_amount: Annotated[int, Setting(ge=0)] = 0
    account: str = ""
    states: tuple[RequestState, ...] = ()
    automatic: frozenset[Automatic] = frozenset()
    answered_by: tuple[_TEXT, ...] = ()


class _Voucher(Frozen):
    account: _TEXT
    company: Annotated[str, Setting(pattern="^[0-9]{3}$")]
    service: Annotated[str, Setting(pattern="^[0-9]$")]
    period: Annotated[str, Setting(pattern="^[0-9]{2}$")] = "99"


class _Services(Frozen):
    repeat_within_hours: Annotated[int, Setting(ge=0, le=24 * 366)] = 24
    voucher: _Voucher | None = None
    states: dict[RequestState, _TEXT] = Setting(default_factory=dict)
    kinds: dict[_NAME, _Kind] = Setting(default_factory=dict)


def load_services(directory: Path) -> Services:
    """The services of the profile in ``directory``; none where it has no such file.

    Raises ``ConfigError`` for the first mistake in it.
    """
    file = directory / FILE
    if not file.exists():
        return Services()
    given = read_model(file, _Services)
    for key, kind in given.kinds.items():
        problem, hint = _mistake(kind, has_voucher=given.voucher is not None)
        if problem:
            raise ConfigError(file, f"kinds.{key}", problem, hint)
    voucher = given.voucher
    return Services(
        {key: _made(key, kind) for key, kind in given.kinds.items()},
        VoucherTerms(**voucher.model_dump()) if voucher else None,
        {EDITED: "ویرایش شد"}
        | {state.value: title for state, title in {**STATE_TITLES, **given.states}.items()},
        timedelta(hours=given.repeat_within_hours),
    )


def check_kind(services: Services, kind: str) -> str:
    """What is wrong with a pattern that registers ``kind`` by text; ``""`` when nothing is."""
    known = services.kinds.get(kind)
    if known is None:
        by_text = [key for key, each in services.kinds.items() if Door.TEXT in each.doors]
        hint = nearest_hint(kind, by_text) or f"write it in {FILE}"
        return f"there is no kind of request {kind!r}; {hint}"
    if Door.TEXT not in known.doors:
        return f"{kind!r} is not registered by text; add 'text' to its doors in {FILE}"
    return ""


def _mistake(kind: _Kind, *, has_voucher: bool) -> tuple[str, str]:
    """What a kind says that cannot be, and what to do about it."""
    if not kind.doors and not kind.answered_by:
        return "nobody can register it", "give it doors, or say what it is answered_by"
    if (kind.fee is FeeKind.FIXED) != (kind.fee_amount > 0):
        return "fee_amount does not go with fee", "a fixed fee, and no other, has an amount"
    if kind.fee is not FeeKind.NONE and not has_voucher:
        return "it has a fee and there is no [voucher]", "say which account fees go to"
    for name, field in kind.fields.items():
        if (field.type is FieldType.CHOICE) != bool(field.choices):
            return f"field {name!r}", "choices are for type 'choice', which needs them"
    return _wrong_states(kind)


def _wrong_states(kind: _Kind) -> tuple[str, str]:
    states = set(kind.states or RequestState)
    if RequestState.REGISTERED not in states or not states & FINAL:
        return "states", "a request begins as registered, and ends as done, rejected or cancelled"
    if kind.states and kind.fee is FeeKind.NONE and states & ABOUT_FEES:
        return "states", "a request without a fee has none of " + ", ".join(sorted(ABOUT_FEES))
    reached, found = {RequestState.REGISTERED}, {RequestState.REGISTERED}
    while found:
        found = {new for state in found for new in MOVES[state] & states} - reached
        reached |= found
    if lost := states - reached:
        return "states", f"nothing leads to {', '.join(sorted(lost))}"
    return "", ""


def _made(key: str, kind: _Kind) -> RequestKind:
    states = kind.states
    if not states:
        states = WITHOUT_FEE if kind.fee is FeeKind.NONE else tuple(RequestState)
    fields = tuple(
        RequestField(name, each.title, each.type, each.required, each.choices, each.title_en)
        for name, each in kind.fields.items()
    )
    rest = {name: getattr(kind, name) for name in _Kind.model_fields}
    return RequestKind(key=key, **{**rest, "fields": fields, "states": states})
