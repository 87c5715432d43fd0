"""A template as people write it: what is left out, spans of time, places in a TOML text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events.facts import EVENT_FACTS, OUTAGE_FACTS
from core.templates.checks import DefinitionError
from gateway.templates.durations import (
    DurationError,
    parse_duration,
    parse_durations,
    write_duration,
    write_durations,
)
from gateway.templates.errors import BodyError
from gateway.templates.form import TemplateForm, form_of
from gateway.templates.written import FormError, WrittenToml, write_form

DOCUMENT = Path(__file__).parents[3] / "docs" / "templates.md"


@given(st.lists(st.integers(0, 30 * 86_400), min_size=1, max_size=4))
def test_spans_are_read_as_they_were_written(spans: list[int]) -> None:
    """One span in several parts, several spans in one part each."""
    assert parse_duration(write_duration(spans[0])) == spans[0]
    assert parse_durations(write_durations(tuple(spans))) == tuple(spans)


def test_spans_in_persian_digits_and_what_is_none() -> None:
    """As people write them; a bare figure says no unit."""
    assert parse_durations("۹۰s، ۱h") == (90, 3600)
    for text in ("", "5", "1w", "h"):
        with pytest.raises(DurationError, match="no span of time such as"):
            parse_duration(text)


def test_one_source_is_said() -> None:
    """Neither none nor two; what belongs to one is not said with another."""
    for said, problem in (
        ({}, "on: say one of"),
        ({"on": ["bill_issued"], "report": "x"}, "report: say one of"),
        ({"report": "x", "where": {"kind": "x"}}, "where: goes with on only"),
        ({"on": "bill_issued", "parameters": {"days": 1}}, "parameters: goes with report only"),
    ):
        with pytest.raises(DefinitionError, match=problem):
            TemplateForm.model_validate(said).made()


@pytest.mark.parametrize(
    "body", ["قبض {{ number|fa }}", "it's '''", 'a "quoted" \\ word\n\n{# x #}', "'"]
)
def test_what_is_written_is_read_as_the_same(body: str) -> None:
    """All settings and words, whatever signs they have."""
    written = {
        "on": ["bill_issued"], "where": {"amount": 5, "kind": 'pe"riod'}, "line": "3000",
        "starts": "1405/01/01", "produce": "days 1,last 08:00", "hours": "sat-wed 08:00-13:00",
        "outage_before": "", "pauses": "90s 1h", "validity": "1d", "body": body,
    }  # fmt: skip
    form = TemplateForm.model_validate(written)
    text = write_form("head", form_of(form.made(), form.words), "several\nlines")
    again = WrittenToml(text).form()
    assert (again.made(), again.words) == (form.made(), form.words)


def test_places_in_words_with_folded_lines() -> None:
    """Line and column are the file's, where lines are folded or signs escaped too."""
    text = 'topic = "x"\nbody = """\n\nfirst \\\n  goes on\\u0020{{ bad }}\nsecond {{ worse }}"""\n'
    written = WrittenToml(text, "file")
    words = written.form().words
    for word in ("bad", "worse"):
        at = words.index(word)
        line, column = words.count("\n", 0, at) + 1, at - words.rfind("\n", 0, at)
        error = written.of_body(BodyError(line, column, "x"))
        place = text.index(word)
        assert error.line == text.count("\n", 0, place) + 1
        assert error.column == place - text.rfind("\n", 0, place)
    with pytest.raises(FormError, match="line 2, column 1: is not valid TOML"):
        WrittenToml('a = "1"\n= 2\n')


def test_the_document_names_every_fact() -> None:
    """docs/templates.md lists what the words of each kind of event may use."""
    rows = DOCUMENT.read_text().splitlines()
    for kind, facts in (*EVENT_FACTS.items(), ("an outage", OUTAGE_FACTS)):
        (row,) = (each for each in rows if f"`{kind}`" in each or each.startswith(f"| {kind} |")
                  if each.startswith("|") and "`number`" in each)  # fmt: skip
        for fact in facts:
            assert f"`{fact}`" in row, f"{kind}: {fact}"
