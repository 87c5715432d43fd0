"""A USSD menu, ready to be walked: what ``gateway.ussd.menu_file`` makes of ``menu.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from core.calls import Argument, Refusal
from core.text import persian_digits
from gateway.replies import Replies
from gateway.rules.grammar import Wording
from gateway.rules.pattern import Field
from gateway.rules.scan import ENGLISH
from gateway.sandbox import Write

REGISTERED: Final = "registered"
"""The condition that the mobile is registered to a subscription; it asks nobody."""
NOT: Final = "not "
"""What turns a condition round."""
YES: Final = "1"
"""The option that confirms."""
TEXT_ME: Final = "1"
"""The option of a result that sends it by SMS."""

SIGN_IN: Final = "sign_in"
"""The operation that takes a number and its code, and does nothing else."""
TEXTED: Final = "texted"
"""A fact that the words of every outcome may use: whether it goes out by SMS as well."""
ASKS_AGAIN: Final = frozenset({Refusal.CONFIRM_READING.value, Refusal.CONFIRM_MOBILE.value})
"""Refusals after which the same call again does it: in a session, a confirmation."""


class Sms(StrEnum):
    """Whether what came of an operation goes to the mobile by SMS too."""

    OFFER = "offer"
    """When it holds what must be kept, or takes more than a page: as an option."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Keys:
    """What is typed to move about, everywhere in a menu."""

    back: str = "0"
    home: str = "00"
    more: str = "9"

    @property
    def all(self) -> frozenset[str]:
        """None of them may number an item."""
        return frozenset({self.back, self.home, self.more})


@dataclass(frozen=True, slots=True)
class Words:
    """The menu's own words, each a few letters: they stand on nearly every page."""

    more: str
    back: str
    sms: str
    sent: str
    yes: str
    no_item: str
    cut: str
    go_on: str
    afresh: str
    goodbye: str
    changed: str
    over: str
    busy: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a menu; exactly one of ``to``, ``language`` and ``subscription`` is set."""

    key: str
    """What is typed for it: it stays when other items are hidden, so dialled paths do too."""
    title: str
    to: str = ""
    """A node."""
    language: str | None = None
    """Goes on in this language, or back in the utility's own where this one is spoken."""
    subscription: bool = False
    """Asks which subscription is meant from now on."""
    when: str = ""
    """A condition, perhaps with ``not`` before it; "" is always."""

    @property
    def condition(self) -> str:
        """The name of its condition."""
        return self.when.removeprefix(NOT)


@dataclass(frozen=True, slots=True)
class MenuNode:
    """A title and numbered items."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class TextNode:
    """A text that is shown, or that a session of ours only tells (USSN)."""

    text: str
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Something that an operation needs and a subscriber types."""

    arguments: tuple[Argument, ...]
    """What it may be; several are told apart by their lengths and check digits."""
    text: str
    retry: str = ""
    """What is said when it was none; "" says what was wrong in the profile's words."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An operation, and how it is come to."""

    operation: str
    fixed: Mapping[Argument, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()
    """Questions, in order."""
    about: bool = True
    """Whether a subscription has to be known first."""
    by: tuple[Argument, ...] = (Argument.NUMBER,)
    """What may name it."""
    proven: bool = True
    """Whether a right to it has to be shown."""
    preview: str = ""
    """An operation that only tells, whose facts are what ``confirm`` asks about."""
    needs: str = ""
    """The fact of the preview without which there is nothing to do; its own words say so."""
    take: tuple[Argument, ...] = ()
    """Facts of the preview that the operation is given."""
    confirm: Write | None = None
    """Asks whether to do it."""
    sms: Sms = Sms.OFFER
    ends: bool = False
    """Whether the session ends with what came of it."""
    bare: bool = False
    """Whether its answers alone, dialled right after the code, lead to it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact of an operation that needs nothing but the subscription."""

    operation: str
    fact: str


@dataclass(frozen=True, slots=True)
class Identify:
    """How a subscription is asked for where a leaf does not say it otherwise."""

    by: tuple[Argument, ...]
    number: str
    code: str
    """"" where no operation of the menu asks for a secret code."""
    choose: str
    other: str


Node: TypeAlias = MenuNode | TextNode | Leaf


@dataclass(frozen=True)
class Menu:
    """One profile's menu in one language."""

    start: str
    keys: Keys
    nodes: Mapping[str, Node]
    questions: Mapping[str, Question]
    conditions: Mapping[str, Condition]
    identify: Identify
    words: Words
    replies: Replies = field(repr=False)
    """The words of outcomes: the menu's own, and else those of texts."""
    fields: Mapping[Argument, Field] = field(repr=False)
    wording: Wording = field(repr=False)
    """What was wrong with an answer."""
    accepts: Mapping[str, frozenset[Argument]] = field(repr=False)
    """What each operation of the menu can be given."""
    language: str = ""

    def digits(self, text: str | int) -> str:
        """Figures as this language writes them."""
        return str(text) if self.language == ENGLISH else persian_digits(text)

    def option(self, key: str | int, title: str) -> str:
        """One numbered line."""
        return f"{self.digits(key)} {title}"

    def numbered(self, count: int) -> list[str]:
        """As many keys for a list as it has rows: those that move about are left out."""
        keys = (str(key) for key in range(1, count + len(self.keys.all) + 1))
        return [key for key in keys if key not in self.keys.all][:count]


@dataclass(frozen=True)
class Menus:
    """A menu in each of its languages; they differ in nothing but words."""

    of: Mapping[str, Menu]
    """``""`` is the utility's own language."""

    @property
    def own(self) -> Menu:
        """The one a session begins with."""
        return self.of[""]

    def spoken(self, language: str) -> Menu:
        """The menu in a language; the own one where there is none in it."""
        return self.of.get(language, self.own)
