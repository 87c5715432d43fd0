"""Passwords: argon2id hashes, and what a password must be.

Sources: RFC 9106; OWASP's password storage cheat sheet (19 MiB, two passes, one lane: what a
machine can spare that answers subscribers beside it); NIST SP 800-63B 5.1.1.2 (length and a
list of common ones, no rules on kinds of signs).
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from core.access.common_passwords import COMMON
from core.text import ascii_digits

SHORTEST: Final = 10
LONGEST: Final = 200
_FEWEST_SIGNS: Final = 4

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS: Final = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p=1$c29tZSBzYWx0IG9mIG5v$"
    "3m4cVZ0b7c6sXn7K8mVxY3x5i2n0p5rW0Jc1vQ9cZbQ"
)
"""A hash that no password has: checking it takes as long as checking somebody's."""


class WeakPassword(ValueError):
    """A password that is not taken; ``key`` names why: short, long, common, name."""

    def __init__(self, key: str, words: str) -> None:
        self.key = key
        super().__init__(words)


def hash_password(password: str) -> str:
    """What is stored. Takes tens of milliseconds of a core: not for a thread in a hurry."""
    return _HASHER.hash(_typed(password))


def check_password(stored: str | None, password: str) -> bool:
    """Whether it is the one; takes as long where there is none stored."""
    if len(password) > LONGEST:
        password = ""
    try:
        return _HASHER.verify(stored or _NOBODYS, _typed(password)) and stored is not None
    except VerifyMismatchError:
        return False
    except (VerificationError, InvalidHashError):
        if stored is None:
            return False
        raise


def check_strength(password: str, *of_the_person: str) -> None:
    """Raise ``WeakPassword`` for one that is soon guessed; ``of_the_person``: name, title."""
    if len(password) < SHORTEST:
        raise WeakPassword("short", f"is shorter than {SHORTEST} characters")
    if len(password) > LONGEST:
        raise WeakPassword("long", f"is longer than {LONGEST} characters")
    plain = _typed(password).casefold()
    if plain in COMMON or len(set(plain)) < _FEWEST_SIGNS or _is_a_row(plain):
        raise WeakPassword("common", "is among the first that anybody tries")
    known = [part for said in of_the_person for part in said.casefold().split() if len(part) > 3]  # noqa: PLR2004
    rest = plain
    for part in known:
        rest = rest.replace(part, "")
    if len(rest) < len(plain) and len(rest) < _FEWEST_SIGNS + 1:
        raise WeakPassword("name", "is little more than the name")


def _typed(password: str) -> str:
    """The same password whatever keyboard it was typed on: Persian digits are digits."""
    return ascii_digits(unicodedata.normalize("NFKC", password))


def _is_a_row(plain: str) -> bool:
    """1234567890, abcdefghij and their like."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return len(steps) == 1
