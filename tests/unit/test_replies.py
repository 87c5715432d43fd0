"""The words of a profile: filters, choice of reply, and every mistake told at loading."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from core.calls import Fact, Outcome
from gateway.configuration import ConfigError
from gateway.replies import Replies, environment, load_replies

FILE = Path("replies.toml")
KNOWN = {
    "ask": {
        "done": frozenset({"number", "debt", "due"}),
        "no_bill": frozenset({"number"}),
        "failed": frozenset[str](),
    },
    "other": {"done": frozenset({"title"}), "failed": frozenset[str]()},
}
EXPECTED = {"ask": KNOWN["ask"]}
COMMON = {"failed": "نشد", "no_bill": "قبضی نیست"}


def load(**tables: Any) -> Replies:
    """Load these tables as a replies file, with ``COMMON`` unless they have their own."""
    tables.setdefault("common", COMMON)
    tables.setdefault("ask", {"done": "بدهی {{ debt|rial }}"})
    return load_replies(FILE, tables, EXPECTED, KNOWN, {})


def mistake(**tables: Any) -> ConfigError:
    """The mistake in these tables."""
    with pytest.raises(ConfigError) as caught:
        load(**tables)
    return caught.value


@pytest.mark.parametrize(
    ("template", "value", "written"),
    [
        ("{{ v|rial }}", 1_250_000, "۱٬۲۵۰٬۰۰۰"),
        ("{{ v|fa }}", "A10", "A۱۰"),
        ("{{ v|fa }}", 7, "۷"),
        ("{{ v|jalali }}", date(2025, 7, 25), "۱۴۰۴/۰۵/۰۳"),
        ("{{ v|jalali }}", datetime(2025, 7, 24, 21, tzinfo=UTC), "۱۴۰۴/۰۵/۰۳"),
        ("{{ v|jalali }}", "", ""),
        ("{{ v|jalali_time }}", datetime(2025, 7, 24, 21, tzinfo=UTC), "۱۴۰۴/۰۵/۰۳ ۰۰:۳۰"),
        ("{{ v|jalali_time }}", "", ""),
        ("{{ v }}", "<&>", "<&>"),
    ],
)
def test_filters(template: str, value: Fact, written: str) -> None:
    """Figures and days are written as people here read them, in a text that is no HTML."""
    assert environment().from_string(template).render(v=value) == written


def test_templates_cannot_reach_out() -> None:
    """Whoever may edit replies may not run code with them."""
    with pytest.raises(SecurityError):
        environment().from_string("{{ v.__class__.__mro__ }}").render(v="")
    with pytest.raises(UndefinedError):
        environment().from_string("{{ cycler }}").render()


def test_own_reply_comes_before_the_common_one() -> None:
    """An operation may word an outcome better than all the others do."""
    outcome = Outcome("ask", "no_bill", {"number": "10"})
    assert load().render(outcome) == "قبضی نیست"
    own = {"done": "x", "no_bill": "برای {{ number|fa }} قبضی نیست"}
    assert load(ask=own).render(outcome) == "برای ۱۰ قبضی نیست"


def test_an_outcome_nobody_foresaw_is_answered_as_a_failure() -> None:
    """A message that was set aside is answered, whatever operation it was for."""
    assert load().render(Outcome("unknown", "surprise", {})) == "نشد"


@pytest.mark.parametrize(
    ("tables", "key", "problem", "hint"),
    [
        ({"aks": {"done": "x"}}, "aks", "no such operation", "'ask'"),
        ({"ask": {"dnoe": "x"}}, "ask.dnoe", "no such outcome", "'done'"),
        ({"common": {**COMMON, "locked": "x"}}, "common.locked", "no such outcome", "locked_out"),
        ({"ask": "x"}, "ask", "not a table", ""),
        ({"ask": {"done": 3}}, "ask.done", "not a text", ""),
        ({"ask": {"done": "  "}}, "ask.done", "not a text", ""),
        ({"ask": {"done": "{{ debts }}"}}, "ask.done", "'debts'", "'debt'"),
        ({"ask": {"done": "{{ zzz }}"}}, "ask.done", "'zzz'", "debt, due, number"),
        ({"other": {"done": "{{ titel }}"}}, "other.done", "'titel'", "'title'"),
        ({"ask": {"done": "a\n{{ debt "}}, "ask.done", "line 2", ""),
        ({"ask": {"done": "{{ debt|rail }}"}}, "ask.done", "'rail'", ""),
        ({"common": {"failed": "x"}}, "ask.no_bill", "has no reply", "[ask] or [common]"),
        ({"ask": {"done": "{{ due + 1 }}"}}, "ask.done", "cannot be filled in", ""),
        ({"ask": {"done": "ب" * 135}}, "ask.done", "135 units", "shorten"),
        ({"ask": {"done": "😀" * 68}}, "ask.done", "136 units", "shorten"),
        ({"ask": {"done": "{% if not debt %}" + "ب" * 135 + "{% endif %}"}}, "ask.done", "135", ""),
        ({"common": {"no_bill": "x"}}, "common.failed", "is missing", ""),
        ({"common": {"failed": "{{ number }}"}}, "common.failed", "'number'", "no variables"),
        ({"common": {**COMMON, "no_bill": "{{ debt }}"}}, "common.no_bill", "'debt'", "number"),
    ],
)  # fmt: skip
def test_each_mistake_is_told(tables: dict[str, Any], key: str, problem: str, hint: str) -> None:
    """An operator reads where the mistake is, what it is, and what was probably meant."""
    error = mistake(**tables)
    assert error.file == FILE
    assert error.key == key
    assert problem in error.problem
    assert hint in error.hint


def test_two_parts_are_allowed() -> None:
    """134 units are two parts exactly."""
    assert load(ask={"done": "ب" * 134})
