"""What a door asks of a dialect, and what dialects share."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from core.text import storable
from gateway.messages import UssdInput

LONGEST_NAME = 100
"""Of a session's name, a mobile or a code: those of the field are shorter than this."""
LONGEST_TEXT = 2000
"""Some networks send all that was typed in a session."""
_CONTROLS = {control: " " for control in (*range(32), *range(127, 160)) if control != ord("\n")}


class Rejected(Exception):
    """A request that is none: ``str()`` says what is wrong with it, without repeating it."""


class Asked(NamedTuple):
    """A request that was understood."""

    input: UssdInput | None
    """None where the network only reports: it is answered and nothing comes of it."""
    memory: str = ""
    """What the dialect needs again to answer it."""


class Dialect(Protocol):
    """How a USSD gateway writes requests and reads answers. Pure; keeps nothing."""

    takes: frozenset[str]
    """Content types of requests."""
    gives: str
    """The content type of answers."""

    def read(self, body: bytes) -> Asked:
        """A request's body. Raises ``Rejected``, and nothing else whatever it holds."""

    def write(self, asked: Asked, text: str, *, ends: bool, mark: str) -> bytes:
        """An answer's body.

        ``text``: what the handset is to show; empty when the session only ends. ``mark``:
        different for each screen; a gateway that hands back what it was given returns it
        with the answer.
        """


def name(value: str, what: str) -> str:
    """A session's name, a mobile or a code. Raises ``Rejected`` unless it can be one."""
    value = value.strip()
    if not value:
        raise Rejected(f"{what} is missing")
    if len(value) > LONGEST_NAME or not value.isprintable():
        raise Rejected(f"{what} is no {what}")
    return value


def typed(value: str) -> str:
    """What a subscriber dialled or typed, as it can be stored. Raises ``Rejected``."""
    if len(value) > LONGEST_TEXT:
        raise Rejected(f"the text is longer than {LONGEST_TEXT} characters")
    return storable(value.translate(_CONTROLS))
