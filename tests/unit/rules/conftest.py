"""The commands that the tests of the rules are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.calls import Argument
from core.operations import REGISTRY
from gateway.profiles import Profile, load_profile
from gateway.rules.grammar import Grammar, Wording
from gateway.rules.pattern import Field, Pattern

PROFILES = Path(__file__).parents[3] / "config" / "profiles"

FIELDS = {
    Argument.NUMBER: Field("اشتراک", 12, 12),
    Argument.METER_SERIAL: Field("سریال", 9, 10),
    Argument.CODE: Field("رمز", 5, 5),
    Argument.READING: Field("کارکرد", 1, 6),
    Argument.BILL_ID: Field("شناسه قبض", 6, 13),
    Argument.PAYMENT_ID: Field("شناسه پرداخت", 6, 13),
}


def wording(fields: dict[Argument, Field]) -> Wording:
    """Phrases that name their field, for asserting on."""
    named = {**fields, Argument.TEXT: Field("متن", 1, 1)}
    return Wording(
        {argument: f"missing {argument}" for argument in named},
        {argument: f"length {argument}" for argument in named},
        {argument: f"check {argument}" for argument in named},
        "extra",
        "alone",
    )


def grammar_of(*patterns: Pattern) -> Grammar:
    """A grammar of ``FIELDS`` with these patterns, which must be ranked from 0."""
    return Grammar(patterns, FIELDS, wording(FIELDS), frozenset({"سلام"}))


def pattern(  # noqa: PLR0913
    operation: str,
    *forms: tuple[Argument, ...],
    codes: tuple[str, ...] = (),
    keywords: tuple[str, ...] = (),
    rank: int = 0,
    takes_text: bool = False,
    bare: bool = False,
) -> Pattern:
    """A pattern of ``FIELDS``."""
    return Pattern(
        operation,
        codes,
        keywords,
        forms or ((),),
        f"format of {operation}",
        FIELDS,
        rank,
        takes_text,
        bare,
    )


@pytest.fixture(scope="session")
def kerman() -> Profile:
    """The profile of Kerman water as it ships."""
    return load_profile(PROFILES / "kerman-water", REGISTRY)


@pytest.fixture(scope="session")
def others() -> Grammar:
    """What other utilities publish: gas readings, payments, complaints, a bare bill ID."""
    number, reading, text = Argument.NUMBER, Argument.READING, True
    bill, payment = Argument.BILL_ID, Argument.PAYMENT_ID
    return grammar_of(
        pattern("read", (reading, number), (reading, Argument.METER_SERIAL), codes=("5",), rank=0),
        pattern("pay", (bill, payment), codes=("1522",), keywords=("پرداخت",), rank=1),
        pattern(
            "complain",
            (number, Argument.CODE),
            (number,),
            (),
            codes=("77",),
            keywords=("شکایت", "شکایت از مامور"),
            rank=2,
            takes_text=text,
        ),
        pattern("register", (bill,), keywords=("ثبت",), rank=3, bare=True),
        pattern("test", (reading,), codes=("88",), rank=4),
    )


@pytest.fixture(scope="session")
def with_codes() -> Callable[[list[str]], Grammar]:
    """Makes a grammar of commands without fields, named as their codes."""
    return lambda codes: grammar_of(
        *(pattern(code, codes=(code,), rank=rank) for rank, code in enumerate(codes))
    )
