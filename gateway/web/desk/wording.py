"""How what is stored of messages is shown: texts that people wrote, operations, states."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context

from core.code_words import receipt_in_words, refusal_in_words
from core.particulars import masked_name
from core.requests.kinds import Services, Titled, titled
from core.state_groups import ENGLISH, PERSIAN, Group, group_of
from core.text import harmless

HIDDEN: Final = "***"
_FIGURES: Final = re.compile(r"\d(?:[٬,-]?\d){4,}")
"""Numbers that tell of somebody: subscriptions, mobiles, sums; a short code tells nothing."""
_LINK: Final = re.compile(r"(https?://[^\s/]+/)\S+", re.IGNORECASE)
"""What stands behind the host of a link is a key: whoever has that of a payment sees the bill."""
_SHORTEST_NAME: Final = 2


def veiled(text: str, names: Collection[str] = ()) -> str:
    """A text without the figures and names that tell whose it is, and without keys in links."""
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= _SHORTEST_NAME and name in text:
            text = text.replace(name, masked_name(name))
    return _FIGURES.sub(HIDDEN, _LINK.sub(rf"\1{HIDDEN}", text))


def said(text: str | None, names: Collection[str] = (), *, whole: bool = False) -> str:
    """What somebody wrote, so that it can be shown: it turns nothing round, and tells nothing."""
    shown = harmless(text or "")
    return shown if whole else veiled(shown, names)


@pass_context
def _operation(context: Context, name: str) -> str:
    """What an operation is called."""
    words: str = context["visit"].say_or(f"box.op.{name}", name)
    return words


@pass_context
def _outcome(context: Context, kind: str) -> str:
    """What came of it."""
    words: str = context["visit"].say_or(f"box.outcome.{kind}", kind)
    return words


@pass_context
def _state(context: Context, state: str) -> str:
    """What an outbox state means to people."""
    words = PERSIAN if context["language"] == "fa" else ENGLISH
    return words[group_of(state)]


@pass_context
def _group(context: Context, group: str) -> str:
    """What a group of states is called."""
    words = PERSIAN if context["language"] == "fa" else ENGLISH
    return words[Group(group)]


_COLOURS: Final = {
    Group.DELIVERED: "good",
    Group.FAILED: "bad",
    Group.UNCERTAIN: "warn",
    Group.FAILED_FOR_NOW: "warn",
}


def _colour(state: str) -> str:
    return _COLOURS.get(group_of(state), "")


@pass_context
def _meaning(context: Context, attempt: Any) -> str:
    """What an operator's code or a receipt's error means."""
    words = None
    if attempt.error:
        words = receipt_in_words(attempt.error)
    elif attempt.code:
        words = refusal_in_words(attempt.code)
    if words is None:
        return ""
    return words.persian if context["language"] == "fa" else words.english


@pass_context
def _table(context: Context, name: str) -> str:
    """What the rows of a table are called."""
    words: str = context["visit"].say_or(f"box.table.{name}", name)
    return words


def _pairs(values: Iterable[Any], words: Iterable[str] | None = None) -> list[tuple[Any, Any]]:
    """Options of a select: each value with its words, itself where there are none."""
    said = list(values)
    return list(zip(said, said if words is None else words, strict=True))


@pass_context
def _worded(context: Context, values: Iterable[str], key: str) -> list[tuple[str, str]]:
    """Options of a select: each value with the text whose key begins with ``key``."""
    return [(each, context["t"](f"{key}{each}")) for each in values]


@pass_context
def _titled(context: Context, what: Titled) -> str:
    """What a kind of request, or a field of one, is called."""
    return titled(what, english=context["language"] == "en")


@pass_context
def _kind(context: Context, kind: str, services: Services | None) -> str:
    """What a request's kind is called; by its key where no line serves its utility."""
    return services.title(kind, english=context["language"] == "en") if services else kind


FILTERS: Final = {
    "titled": _titled,
    "kind_title": _kind,
    "table_title": _table,
    "pairs": _pairs,
    "worded": _worded,
    "said": said,
    "op_title": _operation,
    "outcome_title": _outcome,
    "state_title": _state,
    "group_title": _group,
    "state_colour": _colour,
    "attempt_meaning": _meaning,
}
