"""The words of a profile: filters, choice of reply, and every mistake told at loading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from core.calls import Fact, Outcome, Scalar
from gateway.configuration import ConfigError
from gateway.replies import Facts, Replies, load_replies
from gateway.sandbox import environment, writer

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


@pytest.mark.parametrize(
    "source",
    [
        "{{ row.__class__ }}",
        "{{ row['__class__'] }}",
        "{{ row.get.__self__ }}",
        "{{ row|attr('__class__') }}",
        "{{ row.name.__class__.__mro__ }}",
        "{{ (row|list).__init__.__globals__ }}",
        "{% for key in row %}{{ key.__class__ }}{% endfor %}",
        "{{ '{0.__class__}'.format(row) }}",
        "{{ row.update(name=1) }}",
        "{{ row.clear() }}",
        "{% set x = row.__getitem__ %}{{ x('name') }}",
    ],
)
def test_a_row_is_data_and_no_way_out(source: str) -> None:
    """Looking for the item first has opened nothing, and nothing can be changed."""
    row = {"name": "x"}
    with pytest.raises(SecurityError):
        writer(environment().from_string(source))({"row": row})  # type: ignore[dict-item]
    assert row == {"name": "x"}


def test_a_row_has_its_own_names_before_those_of_python() -> None:
    """A column may be called ``items``; one that there is none of is a mistake."""
    write = writer(environment().from_string("{% for row in rows %}{{ row.items }}{% endfor %}"))
    assert write({"rows": ({"items": 3}, {"items": ""})}) == "3"
    with pytest.raises(UndefinedError, match="names"):
        writer(environment().from_string("{{ rows[0].names }}"))({"rows": ({"name": 3},)})


@pytest.mark.parametrize(
    "source",
    [
        "{{ a|rial }} {{ b|word }} {{ d|jalali }} {{ d|jalali_time }}",
        "{% set a = 7 %}{{ a }}{% if b %}{% set b = 'y' %}{% endif %}{{ b }}",
        "{% macro bold(x) %}*{{ x }}*{{ b }}{% endmacro %}{{ bold(a) }}{{ bold('<') }}",
        "{% block one %}{{ a }}{% endblock %}{{ self.one() }}",
        "{% for row in rows %}{{ loop.index }}{{ row.a }}{{ b }}{% endfor %}",
        "{{ b|replace('x', '_')|truncate(3, True, '…', 0)|upper }}",
        "{{ rows|map(attribute='a')|join(', ') }}{{ rows|length }}",
        "{% autoescape true %}{{ b }}{% endautoescape %}{{ b }}{{ b|e }}",
        "{{ c is defined }}{{ c|default('-') }}{{ a is number }}",
        "{% with x = a %}{{ x }}{% endwith %}{% filter fa %}{{ a }}{% endfilter %}",
        "{{ {'a': b}.a }}{{ [a, b][1] }}{{ b.upper() }}{{ rows[0]['a'] }}",
    ],
)
def test_a_template_is_written_as_jinja_would(source: str) -> None:
    """What it asks for of its context is there."""
    template = environment().from_string(source)
    rows: tuple[Mapping[str, Scalar], ...] = ({"a": 1}, {"a": 2})
    facts: Facts = {
        "a": 1234,
        "b": "<xyz>",
        "d": datetime(2025, 7, 24, 21, tzinfo=UTC),
        "rows": rows,
    }
    for _ in range(2):
        assert writer(template)(facts) == template.render(facts)


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
