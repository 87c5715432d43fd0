"""``menu.toml`` as it is written: tables, and the English words laid over them.

``menu.en.toml`` has the same keys as ``menu.toml`` and only those that are words: titles,
texts, questions and replies. Whatever else a menu is made of is in one file only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, field_validator, model_validator
from pydantic import Field as Setting

from core.calls import DONE, Argument, Refusal
from core.operations import Operation
from gateway.configuration import ConfigError, Frozen
from gateway.findings import Findings
from gateway.ussd.menu import Identify, Item, Keys, Sms, TextNode, Words

LONGEST_KEY: Final = 3
"""Figures of what is typed for an item, or to move about."""


def _as_key(typed: str) -> str:
    """What a subscriber types for something."""
    if not (typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_KEY):
        raise ValueError(f"{typed!r} is no key: up to {LONGEST_KEY} figures are typed")
    return typed


_Said = Annotated[str, Setting(min_length=1)]
_Key = Annotated[str, AfterValidator(_as_key)]
_TEXTS: Final = frozenset(
    {"title", "text", "retry", "confirm", "number", "code", "choose", "other"}
)
"""Keys of ``menu.toml`` that are words, besides the tables ``words`` and ``screens``."""
_ALL_WORDS: Final = ("words", "screens")


class KeysTable(Frozen):
    """``[keys]``."""

    back: _Key = "0"
    home: _Key = "00"
    more: _Key = "9"

    @model_validator(mode="after")
    def _differ(self) -> KeysTable:
        if len({self.back, self.home, self.more}) < 3:  # noqa: PLR2004
            raise ValueError("back, home and more must differ")
        return self

    def made(self) -> Keys:
        """As the machine knows them."""
        return Keys(self.back, self.home, self.more)


class ItemTable(Frozen):
    """A line of ``[menus.NAME.items]``; its key is what is typed."""

    title: _Said
    to: str = ""
    language: str | None = None
    subscription: bool = False
    when: str = ""

    @model_validator(mode="after")
    def _does_one_thing(self) -> ItemTable:
        if bool(self.to) + (self.language is not None) + self.subscription != 1:
            raise ValueError("needs one of to, language and subscription")
        return self

    def made(self, key: str) -> Item:
        """As the machine knows it."""
        language = None if self.language is None else self.language.removeprefix("fa")
        return Item(key, self.title, self.to, language, self.subscription, self.when)


class MenuTable(Frozen):
    """``[menus.NAME]``."""

    title: _Said
    items: Annotated[dict[_Key, ItemTable], Setting(min_length=1)]


class TextTable(Frozen):
    """``[texts.NAME]``."""

    text: _Said
    ends: bool = False
    pushed: bool = False
    """Whether only a session that we begin ourselves comes to it."""

    def made(self) -> TextNode:
        """As the machine knows it."""
        return TextNode(self.text, self.ends)


class QuestionTable(Frozen):
    """``[questions.NAME]``."""

    argument: Argument | tuple[Argument, ...]
    text: _Said
    retry: str = ""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What it may be."""
        one = self.argument
        return one if isinstance(one, tuple) else (one,)


class LeafTable(Frozen):
    """``[leaves.NAME]``."""

    operation: str
    fixed: dict[Argument, str] = Setting(default_factory=dict, alias="with")
    ask: tuple[str, ...] = ()
    about: bool | None = None
    by: tuple[Argument, ...] = ()
    preview: str = ""
    needs: str = ""
    take: tuple[Argument, ...] = ()
    confirm: str = ""
    sms: Sms = Sms.OFFER
    ends: bool = False
    bare: bool = False
    """Whether its answers alone, dialled right after the code, lead to it."""
    pushed: bool = False


class ConditionTable(Frozen):
    """``[conditions.NAME]``."""

    operation: str
    fact: str


class IdentifyTable(Frozen):
    """``[identify]``."""

    by: Annotated[tuple[Argument, ...], Setting(min_length=1)] = (Argument.NUMBER,)
    number: _Said
    code: str = ""
    choose: _Said
    other: _Said

    def made(self) -> Identify:
        """As the machine knows it."""
        return Identify(self.by, self.number, self.code, self.choose, self.other)


class WordsTable(Frozen):
    """``[words]``."""

    more: _Said
    back: _Said
    sms: _Said
    sent: _Said
    yes: _Said
    no_item: _Said
    cut: _Said
    go_on: _Said
    afresh: _Said
    goodbye: _Said
    changed: _Said
    over: _Said
    busy: _Said

    def made(self) -> Words:
        """As the machine knows them."""
        return Words(**self.model_dump())


class MenuFile(Frozen):
    """``menu.toml``."""

    start: str = "home"
    keys: KeysTable = KeysTable()
    words: WordsTable
    identify: IdentifyTable
    menus: Annotated[dict[str, MenuTable], Setting(min_length=1)]
    leaves: dict[str, LeafTable] = Setting(default_factory=dict)
    questions: dict[str, QuestionTable] = Setting(default_factory=dict)
    texts: dict[str, TextTable] = Setting(default_factory=dict)
    conditions: dict[str, ConditionTable] = Setting(default_factory=dict)
    screens: dict[str, dict[str, str]] = Setting(default_factory=dict)

    @field_validator("menus", "leaves", "texts")
    @classmethod
    def _have_names(cls, tables: dict[str, Any]) -> dict[str, Any]:
        for name in tables:
            if not name.replace("_", "").isalnum():
                raise ValueError(f"{name!r} is no name: letters, figures and _")
        return tables


def given(model: MenuFile, leaf: LeafTable) -> frozenset[Argument]:
    """All that a leaf may give its operation, besides what names a subscription."""
    asked = {
        argument
        for name in leaf.ask
        if name in model.questions
        for argument in model.questions[name].arguments
    }
    return frozenset({*asked, *leaf.fixed, *leaf.take})


def is_about(model: MenuFile, leaf: LeafTable, operation: Operation) -> bool:
    """Whether a leaf's operation has to be told a subscription."""
    if leaf.about is not None:
        return leaf.about
    if Refusal.WHICH_SUBSCRIPTION not in operation.outcomes:
        return False
    return not (operation.open_with and operation.open_with <= given(model, leaf))


def confirmed_facts(
    model: MenuFile, leaf: LeafTable, operations: Mapping[str, Operation]
) -> frozenset[str]:
    """The facts that a leaf's confirmation may speak of."""
    preview = operations.get(leaf.preview)
    asked = {each.value for each in given(model, leaf)}
    return frozenset(
        asked | {Argument.NUMBER.value} | (preview.outcomes[DONE] if preview else set())
    )


def translated(
    file: Path, own: Mapping[str, Any], other: Mapping[str, Any], findings: Findings
) -> dict[str, Any]:
    """The tables of a menu with the words of another language's file in place of its own.

    Notes what that file has and the menu has not, and every word that it leaves out.
    """
    words = dict(_words_of(own))
    said = dict(_leaves_of(other))
    for path in said:
        if path not in words and path[0] not in _ALL_WORDS:
            problem = "is no word of menu.toml"
            findings.add(ConfigError(file, ".".join(path), problem, "only words stand here"))
    for path in words:
        if path not in said:
            problem = "is missing: every word of menu.toml needs one here"
            findings.add(ConfigError(file, ".".join(path), problem))
    merged = _copy(own)
    merged["screens"] = other.get("screens", {})
    for path, text in said.items():
        if path in words or path[0] == "words":
            _put(merged, path, text)
    return merged


def _words_of(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for path, value in _leaves_of(tables):
        if not value or path[0] == "screens":
            continue
        is_said = path[0] == "words" or (len(path) > 1 and path[-1] in _TEXTS)
        if is_said and path[0] not in {"keys", "conditions"} and "with" not in path:
            yield path, value


def _leaves_of(
    tables: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tables.items():
        if isinstance(value, dict):
            yield from _leaves_of(value, (*path, key))
        else:
            yield (*path, key), value


def _copy(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copy(value) if isinstance(value, dict) else value for key, value in tables.items()
    }


def _put(tables: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        tables = tables.setdefault(key, {})
    tables[path[-1]] = value
