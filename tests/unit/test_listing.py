"""Lists in replies: as many whole rows as fit, and where to go on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calls import DONE, Fact, Outcome, Scalar
from core.operations import REGISTRY
from core.operations.listing import LISTING
from core.text import group
from gateway.configuration import ConfigError
from gateway.fitted import Fitted, take_apart
from gateway.listing import MOST_UNITS, in_two_parts, units
from gateway.replies import Replies, load_replies
from gateway.sandbox import environment, writer

FILE = Path("replies.toml")
DONE_REPLY = """\
مصرف {{ number|fa }}:
{% for row in rows %}{{ row.period|fa }}: {{ row.used|rial }}
{% endfor %}{% if next %}ادامه: {{ next }}{% endif %}"""
OF_A_PIECE = (
    "{% for row in rows %}{{ loop.index }}{% if not loop.last %}، {% endif %}{% endfor %}",
    "{% for row in rows %}{{ row.used }} {% else %}هیچ{% endfor %}{{ next }}",
    "{% for row in rows %}{{ row.used }}{{ next }} {% endfor %}",
    "{{ rows|length }}{% for row in rows %}، {{ row.used|rial }}{% endfor %}",
    "{% for row in rows %}{{ row.used }} {% endfor %}{{ rows|map(attribute='used')|join }}",
    "{% for row in rows if row.used != 7 %}{{ row.used }} {% endfor %}{{ next }}",
    "{% if number %}{% for row in rows %}{{ row.used }} {% endfor %}{% endif %}{{ next }}",
    "{% set all = rows %}{% for row in rows %}{{ row.used }} {% endfor %}{{ all|length }}",
    "{% for row in rows %}{{ row.used }}\0{% endfor %}{{ next }}",
)
"""Replies in which a row knows of the others, or something else of the rows."""
KNOWN = {
    "use": {"done": frozenset({"number", *LISTING}), "failed": frozenset[str]()},
    "ask": {"done": frozenset({"number"}), "failed": frozenset[str]()},
}


def load(done: str = DONE_REPLY) -> Replies:
    """The replies of an operation that lists its use by period."""
    return load_replies(
        FILE,
        {"use": {"done": done}, "ask": {"done": "{{ number }}"}, "common": {"failed": "نشد"}},
        KNOWN,
        KNOWN,
        {},
        columns={"use": frozenset({"period", "used"}), "ask": frozenset()},
    )


def use(count: int, start: int = 1, after: int | str = "") -> Mapping[str, Fact]:
    """The facts of a list of ``count`` rows, whose use tells which they are."""
    rows: tuple[Mapping[str, Scalar], ...] = tuple(
        {"period": "1405/01", "used": start + place} for place in range(count)
    )
    return {"number": "10000001", "rows": rows, "start": start, "next": after}


def shown(text: str) -> list[str]:
    """The uses that a reply shows."""
    return re.findall(r": ([۰-۹٬]+)$", text.split("ادامه", maxsplit=1)[0], re.MULTILINE)


@given(st.integers(1, 12), st.integers(1, 9_000_000), st.booleans())
def test_following_next_shows_every_row_once(count: int, start: int, more: bool) -> None:  # noqa: FBT001
    """However many there are and however long their figures get; and each text is two parts."""
    replies = load()
    seen: list[str] = []
    left, at = count, start
    while left:
        facts = use(left, at, at + left if more else "")
        text = replies.render(Outcome("use", DONE, facts))
        assert units(text) <= MOST_UNITS
        now = shown(text)
        assert 1 <= len(now) <= left
        if len(now) < left or more:
            assert text.endswith(f"ادامه: {at + len(now)}")
        else:
            assert "ادامه" not in text
        seen += now
        left, at = left - len(now), at + len(now)
    assert seen == [group(figure) for figure in range(start, start + count)]


def test_no_more_rows_are_left_out_than_must_be() -> None:
    """One more would not fit."""
    replies = load()
    facts = use(12)
    count = len(shown(replies.render(Outcome("use", DONE, facts))))
    assert 1 < count < 12
    rows = facts["rows"]
    assert isinstance(rows, tuple)
    crowded = {**facts, "rows": rows[: count + 1], "next": count + 2}
    assert not in_two_parts(load_unfitted(crowded))


def load_unfitted(facts: Mapping[str, Fact]) -> str:
    """The text with exactly these rows."""
    return load().render(Outcome("use", DONE, facts), lambda _text: True)


def test_a_row_too_long_for_its_message_is_shown_all_the_same() -> None:
    """A third part is better than an answer that leads nowhere."""
    rows = tuple({"period": "1405/01 " * 30, "used": used} for used in (1, 2))
    text = load().render(Outcome("use", DONE, {**use(2), "rows": rows}))
    assert shown(text) == ["۱"]
    assert text.endswith("ادامه: 2")


def test_a_reply_without_a_list_is_rendered_once() -> None:
    """Nothing is measured where there is nothing to leave out."""
    outcome = Outcome("ask", DONE, {"number": "7" * 500})

    def never(_text: str) -> bool:
        raise AssertionError

    assert load().render(outcome, never) == "7" * 500


def test_a_long_list_is_fitted_in_a_few_tries() -> None:
    """By halves."""
    tries = 0

    def render(facts: Mapping[str, Fact]) -> str:
        nonlocal tries
        tries += 1
        rows = facts["rows"]
        assert isinstance(rows, tuple)
        return "x" * 30 * len(rows)

    fitted = Fitted(render)
    assert len(fitted(use(12), in_two_parts)) == 120
    assert tries <= 5
    tries = 0
    assert len(fitted(use(12), in_two_parts)) == 120
    assert tries == 3, "all, as many as last time, one more"


def test_rows_that_know_of_themselves_alone_are_written_once() -> None:
    """However often it is asked whether they fit."""
    written: list[int] = []
    sandbox = environment()

    def noted(used: int) -> str:
        written.append(used)
        return f"{used:030}"

    sandbox.filters["noted"] = noted
    source = "{% for row in rows %}{{ row.used|noted }}{% endfor %}{{ next }}"
    fitted = Fitted(writer(sandbox.from_string(source)), take_apart(source, sandbox))
    assert fitted(use(12), in_two_parts).endswith(f"{4:030}5")
    assert written == list(range(1, 13))


@given(
    st.sampled_from([DONE_REPLY, *OF_A_PIECE]),
    st.lists(
        st.tuples(st.lists(st.integers(0, 10**12), max_size=12), st.integers(1, 99), st.booleans()),
        max_size=6,
    ),
)
def test_a_reply_with_fewer_rows_is_what_its_template_writes_with_them(
    done: str, lists: list[tuple[list[int], int, bool]]
) -> None:
    """List after list is written as each would be by trying one row less at a time."""
    replies, plain = load(done), environment().from_string(done)
    for used, start, more in lists:
        rows: tuple[Mapping[str, Scalar], ...] = tuple(
            {"period": "1405/01", "used": each} for each in used
        )
        after = start + len(used) if more else ""
        facts: Mapping[str, Fact] = {**use(0, start, after), "rows": rows}
        shorter = [
            {**facts, "rows": rows[:count], "next": start + count}
            for count in range(len(used) - 1, 0, -1)
        ]
        texts = [plain.render(each) for each in (facts, *shorter)]
        expected = next(filter(in_two_parts, texts), texts[-1])
        assert replies.render(Outcome("use", DONE, facts)) == expected


@pytest.mark.parametrize(
    ("done", "problem"),
    [
        ("{% for row in rows %}{{ row.perod }}{% endfor %}", "perod"),
        ("{% for row in rows %}{{ row.used|jalali_time }}{% endfor %}", "cannot be filled in"),
        ("ب" * 130 + "{% for row in rows %}{{ row.period }}{% endfor %}", "and one row"),
        ("{% for row in rows %}{{ row.used + 1 }}{% endfor %}", "cannot be filled in"),
        ("{% if not rows %}" + "ب" * 135 + "{% endif %}", "135"),
    ],
)
def test_mistakes_in_rows_are_told_at_loading(done: str, problem: str) -> None:
    """A column there is none of, one that may be empty, a text in which not one row fits."""
    with pytest.raises(ConfigError) as caught:
        load(done)
    assert problem in caught.value.problem


def test_every_operation_that_lists_says_what_its_rows_hold() -> None:
    """Or no reply to it could be checked."""
    for operation in REGISTRY.values():
        listing = any("rows" in facts for facts in operation.outcomes.values())
        assert bool(operation.rows) == listing, operation.name
        if listing:
            assert operation.outcomes[DONE] >= LISTING, operation.name
